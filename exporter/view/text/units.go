package text

import (
	"math"
	"strconv"
	"time"
)

// Time returns the time of day of a wall clock's time, in local time.
func Time(unixNS int64, layout string) string {
	return time.Unix(0, unixNS).Format(layout)
}

var (
	durationUnits = []string{"ns", "us", "ms", "s"}
	byteUnits     = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
)

// Duration returns nanoseconds in the unit that leaves up to three digits ahead of the
// point, seconds at most, with three digits in all and up to one decimal: 5.1us, 12.3us.
// Nanoseconds have no decimals.
func Duration(ns uint64) string { return scale(float64(ns), 1000, 1, durationUnits) }

// FineDuration is [Duration] with up to two decimals, for figures whose small changes
// matter: 5.12us, 12.3us.
func FineDuration(ns float64) string { return scale(ns, 1000, 2, durationUnits) }

// Bytes returns bytes in the binary unit that leaves up to four digits ahead of the
// point, with up to one decimal.
func Bytes(n uint64) string { return scale(float64(n), 1024, 1, byteUnits) }

// digits are what a scaled number has, unless there are more ahead of the point.
const digits = 3

// scale divides v by base until it fits a unit or there is none left. The least unit has
// no decimals; the others have as many as make up three digits, and no more than given.
func scale(v, base float64, decimals int, units []string) string {
	unit := 0
	for math.Round(math.Abs(v)) >= base && unit < len(units)-1 {
		v /= base
		unit++
	}
	if unit == 0 {
		decimals = 0
	}
	// 9.995 takes a digit more ahead of the point: it is shown as 10.0.
	for decimals > digits-1 || decimals > 0 && math.Abs(v) >= math.Pow10(digits-decimals)-math.Pow10(-decimals)/2 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + units[unit]
}

// Number returns a count in full as long as it is whole; others, such as the median of
// an even number of counts, have one decimal from 1000 up and four digits below.
func Number(v float64) string {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) >= 1000:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
}

// Count returns a count in full with its noun, which takes an s where it is not one.
func Count[N int | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(uint64(n), 10) + " " + noun + "s"
}
