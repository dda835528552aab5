package comparison

import (
	"strconv"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// optional returns a number that may not be there.
func optional(v *float64, format func(float64) string) string {
	if v == nil {
		return text.None
	}
	return format(*v)
}

// interval returns both ends of one.
func interval(lo, hi *float64) string {
	if lo == nil || hi == nil {
		return text.None
	}
	return text.Change(*lo) + " .. " + text.Change(*hi)
}

// pValue returns one to three places.
func pValue(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// value returns a value of a metric in its unit: times in the unit that they fit, counts
// and bytes in full.
func value(v float64, unit compare.Unit) string {
	switch unit {
	case compare.Nanoseconds:
		return text.FineDuration(v)
	case compare.Bytes:
		return text.Number(v) + "B"
	case compare.Mebibytes:
		return text.Number(v) + "MiB"
	default:
		return text.Number(v)
	}
}

// median returns a median and how far its interval goes, in percent.
func median(s *compare.Side, unit compare.Unit) string {
	center := value(s.Median, unit)
	if s.Lo == nil || s.Hi == nil || s.Median == 0 || *s.Lo == *s.Hi {
		return center
	}
	return center + " ±" + text.Percent(100*max(s.Median-*s.Lo, *s.Hi-s.Median)/s.Median)
}
