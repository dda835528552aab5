package kernel

import "testing"

func TestParseStat(t *testing.T) {
	const rest = " 7 7 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 99\n"
	for stat, want := range map[string]procStat{
		"7 (sh) S 3" + rest:        {Process{7, 3, "sh"}, "S", 4711},
		"7 (a) Z 1 (b) R 3" + rest: {Process{7, 3, "a) Z 1 (b"}, "R", 4711},
		"7 () D 0" + rest:          {Process{7, 0, ""}, "D", 4711},
		"7 (() Z 3" + rest:         {Process{7, 3, "("}, "Z", 4711},
		"7 () S 1 2 3) X 3" + rest: {Process{7, 3, ") S 1 2 3"}, "X", 4711},
	} {
		got, err := parseStat([]byte(stat))
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", stat, got, err)
		}
		if runs := want.state != "Z" && want.state != "X"; got.runs() != runs {
			t.Errorf("%q: runs is %v", stat, got.runs())
		}
	}
	for _, stat := range []string{"", "42", "7 )sh( S 3" + rest, "7 (sh) S 3", "x (sh) S 3" + rest, "7 (sh) S x" + rest, "7 (sh) S 3 7 7 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 x 99"} {
		if got, err := parseStat([]byte(stat)); err == nil {
			t.Errorf("%q: %+v", stat, got)
		}
	}
}
