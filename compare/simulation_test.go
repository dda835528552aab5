package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/verialloc/verialloc/compare/stats"
)

// noise draws n verification times in nanoseconds.
type noise struct {
	name string
	draw func(random *rand.Rand) float64
}

// Times as they were seen: one process that loads one program 30 times took 5.6 ms or
// 10.0 ms each, and times have a long tail to the right.
var noises = []noise{
	{"bimodal, 5.6 and 10.0 ms", func(r *rand.Rand) float64 {
		if r.Float64() < 0.6 {
			return 5.6e6 * math.Exp(0.03*r.NormFloat64())
		}
		return 10.0e6 * math.Exp(0.03*r.NormFloat64())
	}},
	{"heavy tail, Pareto 1.5", func(r *rand.Rand) float64 {
		return 5e6 * (1 + 0.05*(math.Pow(1-r.Float64(), -1/1.5)-1))
	}},
	{"lognormal, 10 %", func(r *rand.Rand) float64 { return 5e6 * math.Exp(0.1*r.NormFloat64()) }},
	{"short, whole microseconds", func(r *rand.Rand) float64 { return 31e3 + 1e3*math.Floor(r.ExpFloat64()*2) }},
}

// duration is the metric of the simulations.
var duration = &metrics[0]

func testMethod() method {
	return method{alpha: DefaultAlpha, power: DefaultPower, confidence: DefaultConfidence, seed: 1, maxFloor: DefaultMaxFloorPercent}
}

// sample draws n times, in whole microseconds as the kernel prints them, and makes them
// longer by a factor.
func (n noise) sample(random *rand.Rand, count int, factor float64) []float64 {
	out := make([]float64, count)
	for i := range out {
		out[i] = 1e3 * math.Round(factor*n.draw(random)/1e3)
	}
	return out
}

// family simulates a comparison of rows in which nothing changed.
func (n noise) family(random *rand.Rand, rows, count int) []*trial {
	m := testMethod()
	trials := make([]*trial, rows)
	for i := range trials {
		a, b := n.sample(random, count, 1), n.sample(random, count, 1)
		trials[i] = m.newTrial(duration, values{a: a, b: b, aa: halves(a)}, "")
	}
	m.judge(duration, trials)
	return trials
}

// changed puts times that changed by a factor in place of the first row's of NEW, and
// judges again.
func (n noise) changed(random *rand.Rand, trials []*trial, factor float64) *trial {
	m := testMethod()
	a := trials[0].a
	trials[0] = m.newTrial(duration, values{a: a, b: n.sample(random, len(a), factor), aa: halves(a)}, "")
	for _, t := range trials {
		t.Reason = ""
	}
	m.judge(duration, trials)
	return trials[0]
}

const (
	simulatedRuns = 1000
	simulatedRows = 20
	meansEvery    = 10 // a geometric mean takes as long as ten comparisons without
)

// runs returns how many runs to simulate.
func runs() int {
	if testing.Short() {
		return 100
	}
	return simulatedRuns
}

// Two recordings of one kernel must not differ: in at most 5 of 100 comparisons
// of 20 rows may any row be better or worse. The test's own p-values come to 5 % by
// themselves: for these the limit allows for what 1,000 runs of exactly that rate give
// in all but 1 of 1,000 tests. The rates are printed.
func TestFalsePositives(t *testing.T) {
	for _, c := range []struct {
		noise
		count int
	}{
		{noises[0], 10}, {noises[0], 30}, {noises[1], 10}, {noises[1], 30}, {noises[2], 10}, {noises[3], 10},
	} {
		t.Run(fmt.Sprintf("%s, n=%d", c.name, c.count), func(t *testing.T) {
			t.Parallel()
			random := stats.Random(1, c.name)
			var conclusive, significant, means, same float64
			for run := range runs() {
				trials := c.family(random, simulatedRows, c.count)
				if slices.ContainsFunc(trials, func(t *trial) bool { return t.Verdict == Better || t.Verdict == Worse }) {
					conclusive++
				}
				if slices.ContainsFunc(trials, func(t *trial) bool { return *t.PHolm < DefaultAlpha }) {
					significant++
				}
				for _, trial := range trials {
					if trial.Verdict == Same {
						same++
					}
				}
				if run%meansEvery != 0 {
					continue
				}
				if g := testMethod().geometricMean(duration, trials); g.Verdict == Better || g.Verdict == Worse {
					means++
				}
			}
			n := float64(runs())
			t.Logf("of %.0f comparisons of %d rows without a change, %.1f%% had any row better or worse, %.1f%% any p below 0.05 after Holm's correction, %.1f%% of %.0f the geometric mean; %.1f%% of all rows were the same",
				n, simulatedRows, 100*conclusive/n, 100*significant/n, 100*means*meansEvery/n, n/meansEvery, 100*same/n/simulatedRows)
			limit := 0.05 + 3.1*math.Sqrt(0.05*0.95/n)
			if conclusive/n > 0.05 || significant/n > limit || means*meansEvery/n > limit {
				t.Errorf("false positives beyond 5%%")
			}
		})
	}
}

// A known change is found at least as often as the power that the least detectable
// change is stated with: 5 %, where no more is stated, and the very change that is.
func TestPower(t *testing.T) {
	const count = 30
	for _, n := range []noise{
		{"lognormal, 3 %", func(r *rand.Rand) float64 { return 5e6 * math.Exp(0.03*r.NormFloat64()) }},
		{"Laplace, 2 %", func(r *rand.Rand) float64 { return 5e6 * (1 + 0.02*(r.ExpFloat64()-r.ExpFloat64())) }},
		noises[1],
	} {
		random := stats.Random(2, n.name)
		var stated, of5, found5, found, all float64
		for range runs() {
			trials := n.family(random, simulatedRows, count)
			least := trials[0].MinDetectablePercent
			if least == nil {
				continue // taken for bimodal
			}
			all++
			stated += *least
			if n.changed(random, trials, 1+*least/100).Verdict == Worse {
				found++
			}
			if *least <= 5 {
				of5++
				if n.changed(random, trials, 1.05).Verdict == Worse {
					found5++
				}
			}
		}
		t.Logf("%s, n=%d, %d rows: the least detectable change stated was %.2f%% on the average of %.0f comparisons; a change of as much as each stated was found in %.1f%%; of 5%%, where no more was stated, in %.1f%% of %.0f",
			n.name, count, simulatedRows, stated/all, all, 100*found/all, 100*found5/of5, of5)
		tolerance := 3 * math.Sqrt(DefaultPower*(1-DefaultPower)/all)
		if found/all < DefaultPower-tolerance || found5/of5 < DefaultPower {
			t.Errorf("%s: a stated change is found less often than %.1f", n.name, DefaultPower)
		}
	}
}
