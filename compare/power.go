package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/verialloc/verialloc/compare/stats"
)

// detectable computes the least change that would be found. The estimate of a change is
// about normal, with the spread that its interval shows. To be better or worse with the
// power asked for, the true change must be a margin beyond the floor, and a margin beyond
// where the test rejects. Of samples with more than one mode that is not true, and
// nothing is said.
func (m method) detectable(t *trial, rows int) {
	if t.P == nil || math.IsNaN(t.floor) || t.Base.Bimodal || t.New.Bimodal {
		return
	}
	least := max(t.floor, m.critical(t, rows)) + m.margin(t)
	if !math.IsInf(least, 0) {
		t.MinDetectablePercent = percent(least, t.median)
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
// multiple of the spread, because a rank test does not distinguish far from farther.
func (m method) critical(t *trial, rows int) float64 {
	shift := stats.HodgesLehmann(t.a, t.b, 1-m.alpha/float64(max(rows, 1)))
	return (shift.Hi - shift.Lo) / 2
}

// settleLimit is the number of samples beyond which more of them are no advice.
const settleLimit = 1_000_000

// settle returns how many samples a side would give a verdict, if the change, the spread
// of the samples and the floor stay as they are: the standard error falls with the root
// of their number. Where nothing is known of the spread it is the least number with
// which there can be any. Where no number is known it returns why.
func (m method) settle(metric *metric, t *trial, rows int) (int, Unsettled) {
	least := max(halvesFloor, stats.SamplesFor(m.alpha/float64(max(rows, 1))))
	var times float64 // as wide as intervals are at most allowed to be
	switch t.Reason {
	case ReasonOneSample:
		if metric.exact {
			return 2, ""
		}
		return least, ""
	case ReasonFew:
		return least, ""
	case ReasonNoFloor:
		if m.otherNoise {
			return 0, UnsettledNoNoise
		}
		return least, ""
	case ReasonFloor, ReasonWide:
		if math.Abs(t.shift.Estimate) == t.floor {
			return 0, UnsettledAtFloor
		}
		times = m.widths(t, t.floor, rows)
	case ReasonNoisy:
		var why Unsettled
		if times, why = m.noisyWidths(metric, t, rows); why != "" {
			return 0, why
		}
	default:
		return 0, Unsettled(t.Reason)
	}
	now := 2 / (1/float64(len(t.a)) + 1/float64(len(t.b)))
	if math.IsInf(times, 0) { // no outcome is significant with that many rows
		return max(least, int(now)+1), ""
	}
	if want := math.Ceil(now * times * times); want < settleLimit {
		return max(least, int(want), int(now)+1), ""
	}
	return 0, UnsettledMany
}

// noisyWidths returns how many times too wide the intervals of the change and of the
// noise are where the floor is too wide for anything to be the same. It has to come down
// to where something can be, or to where the change is beyond it; what the two sets that
// it comes from are apart stays. Where neither can be it returns why.
func (m method) noisyWidths(metric *metric, t *trial, rows int) (times float64, why Unsettled) {
	change, widest := math.Abs(t.shift.Estimate), m.maxFloor/100*t.median
	chance := t.again.bound - t.again.shift // the part of the floor that samples narrow
	var ways []float64
	why = t.widerThan(metric, widest)
	if why == "" && change < widest {
		ways = append(ways, max(chance/(widest-t.again.shift), m.widths(t, widest, rows)))
	}
	if change > max(t.again.shift, t.leastFloor) {
		margin := m.margin(t)
		ways = append(ways, max((m.critical(t, rows)+margin)/change, (margin+chance)/(change-t.again.shift), margin/(change-t.leastFloor)))
	}
	if len(ways) == 0 {
		return 0, cmp.Or(why, UnsettledAtFloor)
	}
	return slices.Min(ways), ""
}

// widerThan returns why no number of samples brings the noise floor below a width; empty
// if one does.
func (t *trial) widerThan(metric *metric, width float64) Unsettled {
	switch {
	case t.median == 0:
		return UnsettledZero
	case metric.resolution > width:
		return UnsettledResolution
	case t.leastFloor > width:
		return UnsettledAllocators
	case t.again.shift >= width:
		return UnsettledApart
	default:
		return ""
	}
}

// widths returns how many times too wide the interval of the change is for a verdict
// beside a floor.
func (m method) widths(t *trial, floor float64, rows int) float64 {
	change := math.Abs(t.shift.Estimate)
	if t.shift.Lo == t.shift.Hi {
		return 0
	}
	if change > floor {
		return max((m.critical(t, rows)+m.margin(t))/change, m.margin(t)/(change-floor))
	}
	return (t.shift.Hi - t.shift.Lo) / 2 / (floor - change)
}
