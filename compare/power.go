package compare

import (
	"math"

	"github.com/verialloc/verialloc/compare/stats"
)

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
// which there can be any; 0 where more samples are no advice.
func (m method) settle(metric *metric, t *trial, rows int) int {
	least := max(halvesFloor, stats.SamplesFor(m.alpha/float64(max(rows, 1))))
	times := 0.0 // as wide as intervals are at most allowed to be
	switch t.Reason {
	case ReasonOneSample:
		if metric.exact {
			return 2
		}
		return least
	case ReasonFew:
		return least
	case ReasonNoFloor:
		if len(t.a) >= halvesFloor {
			return 0 // it is --noise that lacks the program
		}
		return least
	case ReasonFloor, ReasonWide:
		times = m.widths(t, t.floor, rows)
	case ReasonNoisy:
		// The floor has to come down to where anything can be called the same.
		widest := m.maxFloor / 100 * t.median
		if t.leastFloor > widest || t.again.shift >= widest {
			return 0
		}
		times = max((t.again.bound-t.again.shift)/(widest-t.again.shift), m.widths(t, widest, rows))
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
