package compare

import (
	"slices"
	"testing"

	"github.com/verialloc/verialloc/compare/stats"
)

// An inconclusive result names how many samples would settle it, or why none can be named.
func TestSettledOrNot(t *testing.T) {
	_, _, c := compared(t)
	seen := 0
	for i := range c.Rows {
		for _, r := range c.Rows[i].Metrics {
			if r.Verdict != Inconclusive {
				if r.SettleSamples != 0 || r.Unsettled != "" {
					t.Errorf("%s %s: %s, and yet %d, %q", c.Rows[i].Prog, r.Metric, r.Verdict, r.SettleSamples, r.Unsettled)
				}
				continue
			}
			seen++
			if (r.SettleSamples > 0) == (r.Unsettled != "") || r.Unsettled != "" && !slices.Contains(Unsettleds, r.Unsettled) {
				t.Errorf("%s %s: %d, %q", c.Rows[i].Prog, r.Metric, r.SettleSamples, r.Unsettled)
			}
		}
	}
	if seen == 0 {
		t.Fatal("nothing is inconclusive")
	}
}

func TestUnsettled(t *testing.T) {
	m := method{alpha: DefaultAlpha, power: DefaultPower, confidence: DefaultConfidence, maxFloor: 10}
	var around []float64 // 1000, by chance
	for i := range 20 {
		around = append(around, float64(990+i*7%20))
	}
	shift := func(lo, estimate, hi float64) stats.Shift { return stats.Shift{Estimate: estimate, Lo: lo, Hi: hi} }
	for _, c := range []struct {
		name       string
		reason     Reason
		resolution float64
		median     float64
		shift      stats.Shift
		floor      float64
		leastFloor float64
		again      spread
		want       Unsettled // empty: a number
	}{
		{"the noise is apart", ReasonNoisy, 0, 1000, shift(-100, 50, 200), 300, 0, spread{150, 300}, UnsettledApart},
		{"the noise is apart, but the change farther", ReasonNoisy, 0, 1000, shift(-10, 200, 410), 300, 0, spread{150, 300}, ""},
		{"the noise is near", ReasonNoisy, 0, 1000, shift(-100, 50, 200), 300, 0, spread{50, 300}, ""},
		{"a coarse metric", ReasonNoisy, 1000, 5000, shift(-1000, 0, 1000), 1000, 1000, spread{0, 1000}, UnsettledResolution},
		{"a coarse metric, but a great change", ReasonNoisy, 1000, 5000, shift(0, 3000, 6000), 1000, 1000, spread{0, 1000}, ""},
		{"allocators", ReasonNoisy, 0, 1000, shift(-20, 0, 20), 200, 200, spread{0, 20}, UnsettledAllocators},
		{"of 0", ReasonNoisy, 0, 0, shift(-1, 0, 1), 1, 0, spread{0, 1}, UnsettledZero},
		{"of 0, but a change", ReasonNoisy, 0, 0, shift(-1, 5, 11), 1, 0, spread{0, 1}, ""},
		{"at the widest floor", ReasonNoisy, 100, 1000, shift(50, 100, 150), 120, 100, spread{20, 120}, UnsettledAtFloor},
		{"at the floor", ReasonWide, 0, 1000, shift(0, 50, 100), 50, 0, spread{10, 50}, UnsettledAtFloor},
		{"within the floor", ReasonWide, 0, 1000, shift(-20, 20, 60), 50, 0, spread{10, 50}, ""},
		{"within the floor, but hardly", ReasonWide, 0, 1000, shift(0, 49.999, 100), 50, 0, spread{10, 50}, UnsettledMany},
		{"significant", ReasonFloor, 0, 1000, shift(10, 40, 70), 50, 0, spread{10, 50}, ""},
		{"other work", ReasonWork, 0, 1000, shift(10, 40, 70), 50, 0, spread{10, 50}, UnsettledWork},
		{"contradictory", ReasonContradicts, 0, 1000, shift(10, 40, 70), 50, 0, spread{10, 50}, UnsettledContradicts},
		{"beyond the budget", ReasonObserver, 0, 1000, shift(10, 40, 70), 50, 0, spread{10, 50}, UnsettledObserver},
		{"other shares", ReasonTimed, 0, 1000, shift(10, 40, 70), 50, 0, spread{10, 50}, UnsettledTimed},
		{"unsteady", ReasonUnsteady, 0, 1000, shift(60, 80, 90), 50, 0, spread{10, 50}, UnsettledUnsteady},
	} {
		trial := &trial{
			Result: Result{Verdict: Inconclusive, Reason: c.reason}, a: around, b: around,
			median: c.median, shift: c.shift, floor: c.floor, leastFloor: c.leastFloor, again: c.again,
		}
		samples, why := m.settle(&metric{name: "duration", resolution: c.resolution}, trial, 1)
		if why != c.want || (samples > len(around)) != (c.want == "") {
			t.Errorf("%s: %d samples, %q, want %q", c.name, samples, why, c.want)
		}
		if why != "" && !slices.Contains(Unsettleds, why) {
			t.Errorf("%s: not among the causes", why)
		}
	}
}

// The number of samples that is named gives a verdict: the noise is narrower then, and a
// change beyond what it is apart by is found.
func TestSettlesNoisyChange(t *testing.T) {
	m := method{alpha: DefaultAlpha, power: DefaultPower, confidence: DefaultConfidence, maxFloor: 10}
	narrowed := func(times float64) *trial {
		around := func(at float64) []float64 {
			var out []float64
			for i := range 20 {
				out = append(out, at+(float64(i*7%20)-9.5)*60/times)
			}
			return out
		}
		t := &trial{
			Result: Result{Verdict: Inconclusive, Reason: ReasonNoisy}, a: around(1000), b: around(1320),
			median: 1000, again: spread{150, 150 + 200/times},
		}
		t.shift = stats.HodgesLehmann(t.a, t.b, m.confidence)
		t.floor = t.again.bound
		return t
	}
	now := narrowed(1)
	times, why := m.noisyWidths(&metric{}, now, 1)
	if why != "" || times <= 1 {
		t.Fatalf("%g, %q", times, why)
	}
	for _, c := range []struct {
		times float64
		found bool
	}{{1, false}, {times, true}} {
		then := narrowed(c.times)
		margin, change := m.margin(then), then.shift.Estimate
		if found := change-margin >= then.floor-1e-9 && change-margin >= m.critical(then, 1)-1e-9; found != c.found {
			t.Errorf("%g times narrower: %g with a margin of %g beside %g, %g", c.times, change, margin, then.floor, m.critical(then, 1))
		}
	}
}
