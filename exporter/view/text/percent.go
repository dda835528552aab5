package text

import (
	"math"
	"strconv"
	"strings"
)

// Percent returns a number that is in per cent, with one decimal.
func Percent(percent float64) string {
	return strconv.FormatFloat(percent, 'f', 1, 64) + "%"
}

// Share returns part of whole in per cent, [None] where there is no whole.
func Share(part, whole uint64) string {
	if whole == 0 {
		return None
	}
	return Percent(100 * (float64(part) / float64(whole)))
}

// Coverage is [Percent] rounded down, so that less than all is never 100 %.
func Coverage(percent float64) string {
	const grain = 10 // one decimal
	if percent < 100 {
		// 99.8 may be a little less as a float.
		percent = min(math.Floor(grain*percent+1e-9), 100*grain-1) / grain
	}
	return Percent(percent)
}

// Waste returns the share of the allocated bytes that nobody asked for.
func Waste(requested, allocated uint64) string {
	return Share(allocated-min(requested, allocated), allocated)
}

// Change returns a change in per cent with its sign and two decimals; one that is
// infinite is from nothing.
func Change(percent float64) string {
	if math.IsInf(percent, 0) {
		return "from 0"
	}
	text := strconv.FormatFloat(percent, 'f', 2, 64)
	if strings.Trim(text, "-0.") == "" {
		text = "0.00"
	}
	if !strings.HasPrefix(text, "-") {
		text = "+" + text
	}
	return text + "%"
}
