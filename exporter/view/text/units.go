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

// Duration returns nanoseconds in the unit that leaves up to three digits
// ahead of the point, seconds at most.
func Duration(ns uint64) string {
	return scale(ns, 1000, "ns", "us", "ms", "s")
}

// Bytes returns bytes in the binary unit that leaves up to four digits
// ahead of the point.
func Bytes(n uint64) string {
	return scale(n, 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
}

// scale divides v by base until it fits a unit or there is none left. The least
// unit is exact; the others have one decimal below 100.
func scale(v, base uint64, units ...string) string {
	f, i := float64(v), 0
	for math.Round(f) >= float64(base) && i < len(units)-1 {
		f /= float64(base)
		i++
	}
	decimals := 0
	if i > 0 && f < 99.95 {
		decimals = 1
	}
	return strconv.FormatFloat(f, 'f', decimals, 64) + units[i]
}

// Share returns part of whole in per cent, None where there is no whole.
func Share(part, whole uint64) string {
	if whole == 0 {
		return None
	}
	return Percent(float64(part) / float64(whole))
}

// Percent returns a share of one in per cent.
func Percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + "%"
}

// Coverage returns a share rounded down, so that less than all is never
// 100 %.
func Coverage(share float64) string {
	const grain = 1000 // one decimal of a per cent
	if share < 1 {
		// 0.998 may be a little less as a float.
		share = min(math.Floor(share*grain+1e-9), grain-1) / grain
	}
	return Percent(share)
}

// Waste returns the share of the allocated bytes that nobody asked for.
func Waste(requested, allocated uint64) string {
	return Share(allocated-min(requested, allocated), allocated)
}

// Count returns a count in full with its noun, which takes an s where it
// is not one.
func Count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(n, 10) + " " + noun + "s"
}
