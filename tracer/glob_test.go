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

func TestMayMatch(t *testing.T) {
	for glob, want := range map[string]bool{
		"tail_nodeport_n": true, "tail_nodeport_nat": true, "tail_*": true, "*": true, "*_ipv4": true, "t*l_[a-z]*x": true,
		"tail_nodeport_[mn]at": true, "tail_nodeport_\\n_x": true, "???????????????y": true,
		"tail": false, "tail_nodeport_": false, "tail_nodeport_m*": false, "[^t]*": false, "??????????????": false,
	} {
		if got := mayMatch(glob, "tail_nodeport_n"); got != want {
			t.Errorf("%s: %v", glob, got)
		}
	}
}
