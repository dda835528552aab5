package compare

import (
	"fmt"
	"math"
	"strings"
)

// The figures in warnings, reasons and findings. Views have a text kit for theirs, which
// nothing here imports; a test holds both to the same digits.

// inPercent returns a number in per cent with one decimal.
func inPercent(v float64) string { return fmt.Sprintf("%.1f%%", v) }

// roundedDown is inPercent rounded down, so that less than all is never 100 %.
func roundedDown(v float64) string {
	if v < 100 {
		v = min(math.Floor(10*v+1e-9), 999) / 10
	}
	return inPercent(v)
}

// signed returns a change in per cent with its sign, infinite where it is from nothing.
func signed(v float64) string {
	if math.IsInf(v, 0) {
		return "from 0"
	}
	text := fmt.Sprintf("%+.2f%%", v)
	if strings.Trim(text, "+-0.%") == "" {
		return "+0.00%"
	}
	return text
}

// ReasonText says in words why a result is inconclusive, and how many samples would settle
// it if that is known.
func (r *Result) ReasonText() string {
	if r.Verdict != Inconclusive {
		return string(r.Verdict)
	}
	text := map[Reason]string{
		ReasonOneSample:   "one sample",
		ReasonWork:        "not the same work",
		ReasonContradicts: "its rows contradict each other",
		ReasonObserver:    "tracing is beyond its budget",
		ReasonTimed:       "another share of the allocations was timed",
		ReasonNoFloor:     "no noise floor",
		ReasonUnsteady:    "the halves of NEW are farther apart than the floor",
		ReasonFew:         "too few samples",
		ReasonNoisy:       "the noise floor is too wide to call it the same",
		ReasonFloor:       "significant, but within the noise floor",
		ReasonWide:        "the interval is too wide",
	}[r.Reason]
	if r.SettleSamples == 0 {
		return text
	}
	switch r.Reason {
	case ReasonOneSample, ReasonNoFloor, ReasonFew:
		return text + fmt.Sprintf(": a verdict takes at least %d a side", r.SettleSamples)
	default:
		return text + fmt.Sprintf(": about %d samples a side would settle it", r.SettleSamples)
	}
}

// Unremarkable reports whether a result needs no line: a number that does not vary, and
// is the same on both sides.
func (r *Result) Unremarkable() bool {
	return r.Deterministic && r.Verdict == Same
}
