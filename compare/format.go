package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none stands where there is no value.
const none = "-"

// formatPercent returns a share in percent.
func formatPercent(v float64) string {
	return strconv.FormatFloat(v, 'f', 1, 64) + "%"
}

// formatCoverage rounds a share down, so that less than all is never 100 %.
func formatCoverage(v float64) string {
	if v < 100 {
		v = min(math.Floor(10*v+1e-9), 999) / 10
	}
	return formatPercent(v)
}

// formatChange returns a change in percent with its sign, infinite where it is from
// nothing.
func formatChange(v float64) string {
	if math.IsInf(v, 0) {
		return "from 0"
	}
	text := strconv.FormatFloat(v, 'f', 2, 64)
	if strings.Trim(text, "-0.") == "" {
		text = "0.00"
	}
	if !strings.HasPrefix(text, "-") {
		text = "+" + text
	}
	return text + "%"
}

// formatOptional formats a number that may not be there.
func formatOptional(v *float64, format func(float64) string) string {
	if v == nil {
		return none
	}
	return format(*v)
}

// formatInterval returns both ends of one.
func formatInterval(lo, hi *float64) string {
	if lo == nil || hi == nil {
		return none
	}
	return formatChange(*lo) + " .. " + formatChange(*hi)
}

// formatP returns a p-value to three places.
func formatP(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// formatValue returns a value of a metric in its unit. Counts and bytes are in full,
// as long as they are whole; times in the unit that leaves up to three digits ahead of
// the point.
func formatValue(v float64, unit Unit) string {
	if unit != Nanoseconds {
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatFloat(v, 'f', 0, 64) + unitSuffix(unit)
		}
		if math.Abs(v) >= 1000 { // the median of an even number of counts
			return strconv.FormatFloat(v, 'f', 1, 64) + unitSuffix(unit)
		}
		return strconv.FormatFloat(v, 'g', 4, 64) + unitSuffix(unit)
	}
	units := []string{"ns", "us", "ms", "s"}
	i := 0
	for math.Abs(v) >= 999.5 && i < len(units)-1 {
		v /= 1000
		i++
	}
	decimals := 0
	switch {
	case i == 0:
	case math.Abs(v) < 9.995:
		decimals = 2
	case math.Abs(v) < 99.95:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + units[i]
}

func unitSuffix(unit Unit) string {
	switch unit {
	case Bytes:
		return "B"
	case Mebibytes:
		return "MiB"
	default:
		return ""
	}
}

// reasonText says in words why a result is inconclusive, and how many samples would settle
// it if that is known.
func (r *Result) reasonText() string {
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

// printable returns a name fit for a terminal: what does not print is escaped.
func printable(s string) string {
	if s == "" {
		return none
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
