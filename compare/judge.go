package compare

import (
	"math"
	"slices"

	"github.com/verialloc/verialloc/compare/stats"
)

// method holds the parameters by which rows are judged.
type method struct {
	alpha, power, confidence float64
	maxFloor                 float64 // in percent
	seed                     uint64
}

// halvesFloor is how many samples BASE must have for its halves to have an interval.
const halvesFloor = 8

// trial is a metric of a row on its way to a verdict.
type trial struct {
	Result
	a, b []float64
	// ownA and ownB are these less what the allocators took for themselves.
	ownA, ownB []float64
	// aa are two sets of the same kernel, the noise floor's: the halves of BASE, or BASE
	// and another recording of its kernel. nil: none.
	aa    *stats.Pair
	shift stats.Shift
	floor float64 // in the metric's unit; NaN: not known
}

// values are what a metric of a row is judged by.
type values struct {
	a, b []float64
	// allocatorA and allocatorB are the parts of them that the allocators took for
	// themselves; nil: none.
	allocatorA, allocatorB []float64
	// aa is what the noise floor comes from; nil if there is nothing.
	aa *stats.Pair
}

// newTrial measures a metric of a row. decided is a reason for which it is inconclusive
// whatever its samples say.
func (m method) newTrial(metric *metric, v values, decided Reason) *trial {
	t := &trial{
		Result: Result{Metric: metric.name, Unit: metric.unit, Reason: decided},
		a:      v.a, b: v.b, aa: v.aa, floor: math.NaN(),
		ownA: less(v.a, v.allocatorA), ownB: less(v.b, v.allocatorB),
	}
	t.Base, t.New = m.side(metric, v.a), m.side(metric, v.b)
	t.shift = stats.HodgesLehmann(v.a, v.b, m.confidence)
	t.Change = change(t.Base.Median, t.New.Median, t.shift)
	switch few := min(len(v.a), len(v.b)) < 2; {
	case decided != "":
	case few:
		t.Reason = ReasonOneSample
	case metric.exact && constant(t.ownA) && constant(t.ownB):
		t.Deterministic = true
	default:
		t.P = new(stats.MannWhitney(v.a, v.b))
	}
	if v.aa != nil {
		shift := stats.HodgesLehmann(v.aa.A, v.aa.B, m.confidence)
		if bound := max(-shift.Lo, shift.Hi); !math.IsInf(bound, 0) {
			t.floor = max(bound, metric.resolution, greatest(v.allocatorA), greatest(v.allocatorB))
			t.FloorPercent = percent(t.floor, t.Base.Median)
		}
	}
	return t
}

// less subtracts parts from values; nil parts are 0.
func less(values, parts []float64) []float64 {
	if parts == nil {
		return values
	}
	out := slices.Clone(values)
	for i := range out {
		out[i] -= parts[i]
	}
	return out
}

func greatest(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Max(values)
}

// halves returns BASE's samples as two sets, those ahead and those after, so that a
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

// percent returns part of base in percent; nil where base is 0, but for nothing of
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
			t.SettleSamples = m.settle(metric, t, len(trials))
		}
	}
}

func (m method) verdict(metric *metric, t *trial) (Verdict, Reason) {
	switch {
	case t.Reason != "":
		return Inconclusive, t.Reason
	case t.Deterministic && t.ownA[0] == t.ownB[0]:
		return Same, ""
	case t.Deterministic:
		return direction(metric, t.ownB[0]-t.ownA[0]), ""
	case math.IsNaN(t.floor):
		return Inconclusive, ReasonNoFloor
	}
	significant := *t.PHolm < m.alpha
	switch {
	case significant && math.Abs(t.shift.Estimate) > t.floor:
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

// detectable computes the least change that would be found. The estimate of a change is
// about normal, with the spread that its interval shows. To be better or worse with the
// power asked for, the true change must be so much beyond the floor, and so much beyond
// where the test rejects. Of samples with more than one mode that is not true, and
// nothing is said.
func (m method) detectable(t *trial, rows int) {
	if t.P == nil || math.IsNaN(t.floor) || t.Base.Bimodal || t.New.Bimodal {
		return
	}
	least := max(t.floor, m.critical(t, rows)) + m.margin(t)
	if !math.IsInf(least, 0) {
		t.MinDetectablePercent = percent(least, t.Base.Median)
	}
}

// margin is how much of a change its estimate may miss. Two things have to come out, that
// it is beyond the floor and that it is significant: each may fail half as often as the
// power leaves.
func (m method) margin(t *trial) float64 {
	spread := (t.shift.Hi - t.shift.Lo) / 2 / stats.Normal((1+m.confidence)/2)
	return spread * stats.Normal((1+m.power)/2)
}

// critical is how far from 0 an estimate is significant at Holm's strictest level, that
// of the first of all rows: half of the interval of that confidence. It is not a
// multiple of the spread, because a rank test cannot tell far from farther.
func (m method) critical(t *trial, rows int) float64 {
	shift := stats.HodgesLehmann(t.a, t.b, 1-m.alpha/float64(max(rows, 1)))
	return (shift.Hi - shift.Lo) / 2
}

// settleLimit is the number of samples beyond which more of them are no advice.
const settleLimit = 1_000_000

// settle returns how many samples a side would give a verdict, if the change, the spread
// of the samples and the floor stay as they are: the standard error falls with the root
// of their number. Where nothing is known of the spread it is the least number with
// which there can be any.
func (m method) settle(metric *metric, t *trial, rows int) int {
	least := max(halvesFloor, stats.SamplesFor(m.alpha/float64(max(rows, 1))))
	if metric.exact && t.Reason == ReasonOneSample {
		return 2
	}
	change := math.Abs(t.shift.Estimate)
	var times float64 // as wide as it may be for a verdict
	switch t.Reason {
	case ReasonOneSample, ReasonNoFloor, ReasonFew:
		return least
	case ReasonFloor, ReasonWide:
		if change > t.floor {
			times = max((m.critical(t, rows)+m.margin(t))/change, m.margin(t)/(change-t.floor))
		} else {
			times = (t.shift.Hi - t.shift.Lo) / 2 / (t.floor - change)
		}
	default:
		return 0
	}
	now := 2 / (1/float64(len(t.a)) + 1/float64(len(t.b)))
	if math.IsInf(times, 0) { // no outcome is significant with so many rows
		return max(least, int(now)+1)
	}
	if want := math.Ceil(now * times * times); want < settleLimit {
		return max(least, int(want), int(now)+1)
	}
	return 0
}
