package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// The greatest U that is rejected, from the tables of Mann and Whitney's test at 0.05,
// two-sided, as textbooks print them.
func TestRejected(t *testing.T) {
	for _, c := range []struct{ n, m, want int }{
		{3, 3, -1}, {4, 4, 0}, {5, 5, 2}, {5, 10, 8}, {6, 6, 5}, {8, 8, 13}, {10, 10, 23}, {12, 15, 49}, {15, 15, 64}, {20, 20, 127},
	} {
		if got := rejected(c.n, c.m, 0.05); got != c.want {
			t.Errorf("n=%d, m=%d: %d, want %d", c.n, c.m, got, c.want)
		}
		if got := rejected(c.m, c.n, 0.05); got != c.want {
			t.Errorf("n=%d, m=%d: %d, want %d", c.m, c.n, got, c.want)
		}
	}
}

// The normal approximation beyond the exact sizes continues what is exact.
func TestRejectedLarge(t *testing.T) {
	defer func(limit int) { exactLimit = limit }(exactLimit)
	for _, alpha := range []float64{0.05, 0.0025} {
		exact := rejected(50, 50, alpha)
		exactLimit = 49
		rejections.Clear()
		if got := rejected(50, 50, alpha); math.Abs(float64(got-exact)) > 6 {
			t.Errorf("alpha %g: %d, exact is %d", alpha, got, exact)
		}
		exactLimit = 50
		rejections.Clear()
	}
}

// The example of the manual of R's wilcox.test.
func TestMannWhitney(t *testing.T) {
	a := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	b := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	if got := MannWhitney(a, b); math.Abs(got-0.2544) > 5e-5 {
		t.Errorf("p %.4f, want 0.2544", got)
	}
	if got := MannWhitney([]float64{1, 1}, []float64{1, 1}); got != 1 {
		t.Errorf("p of equal values %v, want 1", got)
	}
}

// The quick search finds what sorting all differences does.
func TestHodgesLehmann(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		a, b := make([]float64, 1+random.IntN(20)), make([]float64, 1+random.IntN(20))
		for _, values := range [][]float64{a, b} {
			for i := range values {
				values[i] = math.Round(1e3*random.NormFloat64()) * []float64{1, 0.1, 1e-9}[random.IntN(3)]
			}
		}
		var all []float64
		for _, x := range a {
			for _, y := range b {
				all = append(all, y-x)
			}
		}
		slices.Sort(all)
		got := HodgesLehmann(a, b, 0.95)
		if want := Quantile(all, 0.5); !near(got.Estimate, want) {
			t.Fatalf("estimate %v, want %v", got.Estimate, want)
		}
		reject := rejected(len(a), len(b), 1-0.95)
		if reject < 0 {
			if !math.IsInf(got.Lo, -1) || !math.IsInf(got.Hi, 1) {
				t.Fatalf("interval %v %v of too few", got.Lo, got.Hi)
			}
		} else if got.Lo != all[reject] || got.Hi != all[len(all)-1-reject] {
			t.Fatalf("interval %v %v, want %v %v", got.Lo, got.Hi, all[reject], all[len(all)-1-reject])
		}
	}
}

// An interval leaves out 0 exactly where the test rejects, as both come from one
// distribution; without equal values.
func TestIntervalAgreesWithTest(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		a, b := make([]float64, 4+random.IntN(20)), make([]float64, 4+random.IntN(20))
		for i := range a {
			a[i] = random.NormFloat64()
		}
		for i := range b {
			b[i] = random.NormFloat64() + 0.7
		}
		shift := HodgesLehmann(a, b, 0.95)
		if outside := shift.Lo > 0 || shift.Hi < 0; outside != (MannWhitney(a, b) <= 0.05) {
			t.Fatalf("interval %v %v, p %v", shift.Lo, shift.Hi, MannWhitney(a, b))
		}
	}
}

// Intervals hold the true shift and the true median as often as they say, or more.
func TestCoverage(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const runs = 2000
	shifts, medians := 0, 0
	for range runs {
		a, b := make([]float64, 12), make([]float64, 17)
		for i := range a {
			a[i] = random.ExpFloat64()
		}
		for i := range b {
			b[i] = random.ExpFloat64() + 0.3
		}
		if s := HodgesLehmann(a, b, 0.95); s.Lo <= 0.3 && 0.3 <= s.Hi {
			shifts++
		}
		if m := Median(a, 0.95); m.Lo <= math.Ln2 && math.Ln2 <= m.Hi {
			medians++
		}
	}
	t.Logf("the interval of the shift held it in %.1f%%, that of the median in %.1f%%", 100*float64(shifts)/runs, 100*float64(medians)/runs)
	if least := 0.95*runs - 3*math.Sqrt(runs*0.95*0.05); float64(shifts) < least || float64(medians) < least {
		t.Errorf("intervals hold less often than 95%%")
	}
}

func TestHolm(t *testing.T) {
	// The example of R's manual would need its data; this one is by hand.
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	want := []float64{0.03, 0.06, 0.06, 0.02}
	for i := range want {
		if !near(got[i], want[i]) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := Holm([]float64{0.6, 0.5}); got[0] != 1 || got[1] != 1 {
		t.Errorf("%v, want 1 at most", got)
	}
	if len(Holm(nil)) != 0 {
		t.Error("of none, something")
	}
}

func TestSamplesFor(t *testing.T) {
	for n := 1; n < 12; n++ {
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			a[i], b[i] = float64(i), float64(n+i)
		}
		p := MannWhitney(a, b) // the least there can be
		if got := SamplesFor(p * 1.0001); got != n {
			t.Errorf("SamplesFor(%g) = %d, want %d", p, got, n)
		}
	}
}

func TestTailSamples(t *testing.T) {
	for q, want := range map[float64]int{0.9: 36, 0.99: 368} {
		if got := TailSamples(q, 0.95); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
		if math.Pow(q, float64(want)) > 0.025 || math.Pow(q, float64(want-1)) <= 0.025 {
			t.Errorf("%v: %d is not the least number", q, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.5, 2.5}, {0.9, 3.7}, {1, 4}} {
		if got := Quantile([]float64{1, 2, 3, 4}, c.q); !near(got, c.want) {
			t.Errorf("%v: %v, want %v", c.q, got, c.want)
		}
	}
}

// Bootstraps say the same for the same seed and purpose, and another for another.
func TestBootstrapIsSeeded(t *testing.T) {
	a, b := make([]float64, 40), make([]float64, 40)
	random := rand.New(rand.NewPCG(7, 8))
	for i := range a {
		a[i], b[i] = 1+random.Float64(), 1.1+random.Float64()
	}
	first := TailChange(a, b, 0.9, 0.95, Random(1, "tail", "p"))
	if again := TailChange(a, b, 0.9, 0.95, Random(1, "tail", "p")); again != first {
		t.Errorf("%v, then %v", first, again)
	}
	if other := TailChange(a, b, 0.9, 0.95, Random(2, "tail", "p")); other == first {
		t.Error("the seed does not matter")
	}
	if first.Lo > first.Estimate || first.Hi < first.Estimate {
		t.Errorf("%v", first)
	}
	mean := GeometricMeanInterval([]Pair{{a, b}, {b, a}}, 0.95, Random(1))
	if !near(mean.Estimate, 1) || mean.Lo > 1 || mean.Hi < 1 {
		t.Errorf("geometric mean of a change and its reverse: %v", mean)
	}
}

// Of samples with one mode, however long their tails and however coarse, at most 5 in
// 100 are called bimodal; two modes as far apart as they were seen, nearly always.
func TestBimodal(t *testing.T) {
	runs := 2000
	for _, c := range []struct {
		name       string
		draw       func(*rand.Rand) float64
		resolution float64
		many       bool
	}{
		{"normal", func(r *rand.Rand) float64 { return r.NormFloat64() }, 0, false},
		{"lognormal", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) }, 0, false},
		{"Pareto 1.5", func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1/1.5) }, 0, false},
		{"exponential", func(r *rand.Rand) float64 { return r.ExpFloat64() }, 0, false},
		{"whole microseconds", func(r *rand.Rand) float64 { return 1e3 * math.Round(31+2*r.NormFloat64()) }, 1e3, false},
		{"whole pages, not said", func(r *rand.Rand) float64 { return 4096 * math.Round(100+r.NormFloat64()) }, 0, false},
		{"one of two numbers", func(r *rand.Rand) float64 { return float64(r.IntN(2)) }, 0, false},
		{"5.6 or 10.0 ms", func(r *rand.Rand) float64 {
			centre := 5.6e6
			if r.Float64() < 0.4 {
				centre = 10.0e6
			}
			return 1e3 * math.Round(centre*math.Exp(0.03*r.NormFloat64())/1e3)
		}, 1e3, true},
	} {
		for _, n := range []int{10, 30, 100} {
			random := Random(9, c.name)
			found := 0
			values := make([]float64, n)
			for range runs {
				for i := range values {
					values[i] = c.draw(random)
				}
				if Bimodal(values, c.resolution) {
					found++
				}
			}
			share := 100 * float64(found) / float64(runs)
			t.Logf("%s, n=%d: %.1f%% bimodal", c.name, n, share)
			if !c.many && share > 5 || c.many && n >= 30 && share < 95 {
				t.Errorf("%s, n=%d: %.1f%% bimodal", c.name, n, share)
			}
		}
	}
	if Bimodal([]float64{1, 1, 1, 9, 9, 9}, 1) {
		t.Error("6 values are too few")
	}
}
