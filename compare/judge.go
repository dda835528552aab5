package compare

import (
	"math"
	"slices"

	"github.com/verialloc/verialloc/compare/stats"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// method holds the parameters by which rows are judged.
type method struct {
	alpha, power, confidence float64
	maxFloor                 float64 // in percent
	otherNoise               bool    // noise floors come from another recording, not from halves
	seed                     uint64
}

// halvesFloor is how many samples a side must have for its halves to have an interval.
const halvesFloor = 8

// trial is a metric of a row on its way to a verdict.
type trial struct {
	Result
	a, b []float64
	// median is BASE's, of a.
	median float64
	// aa are two sets of the same kernel, the noise floor's: the halves of BASE, or BASE
	// and another recording of its kernel. nil: none.
	aa    *stats.Pair
	shift stats.Shift
	// In the metric's unit; NaN: not known. leastFloor is what no number of samples
	// brings the floor below.
	floor, leastFloor float64
	// again is between the sets of aa, within between the halves of NEW: the floor is
	// BASE's alone, and does not know of a machine that changed its pace while NEW was
	// measured.
	again, within spread
}

// values are what a metric of a row is judged by.
type values struct {
	a, b []float64
	// allocatorA and allocatorB are what the allocators took for themselves besides, which
	// is shown and not judged; nil: nothing.
	allocatorA, allocatorB []float64
	// aa is what the noise floor comes from; nil if there is nothing.
	aa *stats.Pair
}

// newTrial measures a metric of a row. decided is a reason for which it is inconclusive
// whatever its samples say.
func (m method) newTrial(metric *metric, v values, decided Reason) *trial {
	t := &trial{
		Result: Result{Metric: metric.name, Unit: metric.unit, Reason: decided},
		a:      v.a, b: v.b, aa: v.aa, floor: math.NaN(), median: recording.Median(v.a),
	}
	t.Base, t.New = m.side(metric, plus(v.a, v.allocatorA)), m.side(metric, plus(v.b, v.allocatorB))
	t.AllocatorsOwn = greatest(v.allocatorA) > 0 || greatest(v.allocatorB) > 0
	t.shift = stats.HodgesLehmann(v.a, v.b, m.confidence)
	t.Change = change(t.median, recording.Median(v.b), t.shift)
	switch few := min(len(v.a), len(v.b)) < 2; {
	case decided != "":
	case few:
		t.Reason = ReasonOneSample
	case metric.exact && constant(t.a) && constant(t.b):
		t.Deterministic = true
	default:
		t.P = new(stats.MannWhitney(v.a, v.b))
	}
	t.again, t.within = m.spread(v.aa), m.spread(halves(v.b))
	if v.aa != nil && !math.IsInf(t.again.bound, 0) {
		// A peak less the allocators' own peak may be of another moment.
		t.leastFloor = max(metric.resolution, greatest(v.allocatorA), greatest(v.allocatorB))
		t.floor = max(t.again.bound, t.leastFloor)
		t.FloorPercent = percent(t.floor, t.median)
	}
	return t
}

// spread is how far two sets of measurements of one thing are apart: by their shift,
// and at most, by its interval.
type spread struct{ shift, bound float64 }

// spread measures it, 0 of nil.
func (m method) spread(p *stats.Pair) spread {
	if p == nil {
		return spread{}
	}
	shift := stats.HodgesLehmann(p.A, p.B, m.confidence)
	return spread{math.Abs(shift.Estimate), max(-shift.Lo, shift.Hi)}
}

// plus adds parts to values; nil parts are 0.
func plus(values, parts []float64) []float64 {
	if parts == nil {
		return values
	}
	out := slices.Clone(values)
	for i := range out {
		out[i] += parts[i]
	}
	return out
}

func greatest(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Max(values)
}

// halves returns a side's samples as two sets, those ahead and those after, so that a
// drift of the machine counts as noise; nil if they are too few.
func halves(a []float64) *stats.Pair {
	if len(a) < halvesFloor {
		return nil
	}
	return &stats.Pair{A: a[:len(a)/2], B: a[len(a)/2:]}
}

func (m method) side(metric *metric, values []float64) Side {
	s := stats.Median(values, m.confidence)
	return Side{
		Samples: len(values),
		Median:  s.Median, Lo: finite(s.Lo), Hi: finite(s.Hi),
		Bimodal: !metric.exact && stats.Bimodal(values, metric.resolution),
	}
}

func change(base, comp float64, shift stats.Shift) Change {
	c := Change{
		Absolute:      shift.Estimate,
		Percent:       percent(shift.Estimate, base),
		MedianPercent: percent(comp-base, base),
	}
	if !math.IsInf(shift.Lo, 0) {
		c.LoPercent, c.HiPercent = percent(shift.Lo, base), percent(shift.Hi, base)
	}
	return c
}

// percent returns part of base in percent; nil where base is 0, except nothing of
// nothing.
func percent(part, base float64) *float64 {
	switch {
	case base != 0:
		return new(100 * part / base)
	case part == 0:
		return new(0.0)
	default:
		return nil
	}
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// judge gives the rows of one metric their verdicts.
func (m method) judge(metric *metric, trials []*trial) {
	var tested []*trial
	var p []float64
	for _, t := range trials {
		if t.P != nil {
			tested, p = append(tested, t), append(p, *t.P)
		}
	}
	for i, adjusted := range stats.Holm(p) {
		tested[i].PHolm = &adjusted
	}
	for _, t := range trials {
		m.detectable(t, len(p))
		t.Verdict, t.Reason = m.verdict(metric, t)
		if t.Verdict == Inconclusive {
			t.SettleSamples, t.Unsettled = m.settle(metric, t, len(trials))
		}
	}
}

func (m method) verdict(metric *metric, t *trial) (Verdict, Reason) {
	switch {
	case t.Reason != "":
		return Inconclusive, t.Reason
	case t.Deterministic && t.a[0] == t.b[0]:
		return Same, ""
	case t.Deterministic:
		return direction(metric, t.b[0]-t.a[0]), ""
	case math.IsNaN(t.floor):
		return Inconclusive, ReasonNoFloor
	}
	significant := *t.PHolm < m.alpha
	beyond := math.Abs(t.shift.Estimate) > t.floor
	switch {
	case significant && beyond && t.within.shift > t.floor:
		return Inconclusive, ReasonUnsteady
	case significant && beyond:
		return direction(metric, t.shift.Estimate), ""
	case t.floor > 0 && (t.FloorPercent == nil || *t.FloorPercent > m.maxFloor):
		return Inconclusive, ReasonNoisy
	case t.shift.Lo >= -t.floor && t.shift.Hi <= t.floor:
		return Same, ""
	case math.IsInf(t.shift.Lo, 0):
		return Inconclusive, ReasonFew
	case significant:
		return Inconclusive, ReasonFloor
	default:
		return Inconclusive, ReasonWide
	}
}

func direction(metric *metric, change float64) Verdict {
	if (change > 0) == metric.moreBetter {
		return Better
	}
	return Worse
}
