package tracer

import (
	"strings"
	"testing"
)

func TestReachOf(t *testing.T) {
	for glob, want := range map[string]Reach{
		"":                             ReachAll,
		"*":                            ReachAll,
		"tail_nodeport_nat_*_ipv4":     ReachAll,
		"a.b_C9":                       ReachAll,
		"?[a-f][^x]":                   ReachAll,
		`\a`:                           ReachAll,
		"caf\u00e9":                    ReachAll,
		strings.Repeat("x", 512):       ReachAll,
		strings.Repeat("x*", 512):      ReachAll,
		`[\-a]`:                        ReachAll,
		"[^a-zA-Z0-9_.]":               ReachRefused,
		"my-prog":                      ReachRefused,
		"my-*":                         ReachRefused,
		`my\*`:                         ReachRefused,
		"sixteen--letters":             ReachRefused,
		"[!]":                          ReachRefused,
		`[\]\-]`:                       ReachRefused,
		"seventeen--letters":           ReachNone,
		"tc/ingress prog of mine":      ReachNone,
		strings.Repeat("x", 513):       ReachNone,
		strings.Repeat("[ab]", 513):    ReachNone,
		strings.Repeat("?", 513) + "*": ReachNone,
	} {
		got, err := ReachOf(glob)
		if err != nil || got != want {
			t.Errorf("%.40q reaches %d, %v, want %d", glob, got, err, want)
		}
	}
	for _, glob := range []string{"[", `\`, "a[]", "[a-"} {
		if _, err := ReachOf(glob); err == nil {
			t.Errorf("%q is a glob", glob)
		}
	}
}
