package stats

import (
	"math"
	"slices"
)

// Bimodal reports whether values have more than one mode: whether their distance from
// every distribution with one (Hartigan and Hartigan's dip, 1985) is greater than 19 in
// 20 sets of that many values from the uniform distribution have, which of all those
// with one mode have the greatest. Fewer than 10 values never do. Equal values count as
// spread over the resolution, the distance from one possible value to the next, since
// rounding makes no modes; 0 is the least distance there is between two of the values.
func Bimodal(values []float64, resolution float64) bool {
	if len(values) < dipCritical[0].n {
		return false
	}
	sorted := slices.Sorted(slices.Values(values))
	if resolution == 0 {
		resolution = leastGap(sorted)
	}
	return dip(spread(sorted, resolution))*math.Sqrt(float64(len(values))) > criticalDip(len(values))
}

// leastGap returns the least distance between sorted values that are not equal.
func leastGap(sorted []float64) float64 {
	least := math.Inf(1)
	for i, v := range sorted[1:] {
		if gap := v - sorted[i]; gap > 0 {
			least = min(least, gap)
		}
	}
	if math.IsInf(least, 0) {
		return 0
	}
	return least
}

// spread puts sorted equal values at equal distances over the resolution around them.
func spread(sorted []float64, resolution float64) []float64 {
	out := slices.Clone(sorted)
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		for k := i; k < j; k++ {
			out[k] += resolution * ((float64(k-i)+0.5)/float64(j-i) - 0.5)
		}
		i = j
	}
	return out
}

// dipCritical holds the 95th percentile of the dip of n uniform values times the root
// of n, from 200,000 sets each: TestDipCritical draws them again.
var dipCritical = []struct {
	n        int
	critical float64
}{
	{10, 0.4414},
	{15, 0.4590},
	{20, 0.4709},
	{30, 0.4835},
	{50, 0.4965},
	{100, 0.5111},
	{200, 0.5203},
	{500, 0.5299},
	{1000, 0.5348},
}

// criticalDip interpolates in the table; beyond it, its last value is the limit.
func criticalDip(n int) float64 {
	last := dipCritical[0]
	for _, next := range dipCritical[1:] {
		if n <= next.n {
			share := float64(n-last.n) / float64(next.n-last.n)
			return last.critical + share*(next.critical-last.critical)
		}
		last = next
	}
	return last.critical
}

// dip returns the least greatest distance between the distribution of sorted values
// and one that has a single mode. It narrows the interval that must hold the mode, by
// the greatest convex minorant of the distribution below its steps and the least
// concave majorant above them, for as long as these are farther apart within it than
// the distribution is from them outside.
func dip(sorted []float64) float64 {
	low, high := 0, len(sorted)-1
	least := 1.0 // twice the dip, in steps of the distribution
	for low < high {
		minorant := hull{sorted, corners(sorted, low, high, 1)}
		majorant := hull{sorted, corners(sorted, low, high, -1)}
		apart, left, right := farthest(minorant, majorant)
		if apart <= least {
			break
		}
		for i := low; i <= left; i++ {
			least = max(least, float64(i)+1-minorant.at(i))
		}
		for i := right; i <= high; i++ {
			least = max(least, majorant.at(i)+1-float64(i))
		}
		if left == low && right == high {
			break
		}
		low, high = left, right
	}
	return least / float64(2*len(sorted))
}

// farthest returns how many steps the majorant is above the minorant where that is
// most, and the corners of the two about that place: it is at a corner of either.
func farthest(minorant, majorant hull) (apart float64, left, right int) {
	for _, i := range minorant.corners {
		if d := majorant.at(i) + 1 - float64(i); d > apart {
			at, _ := slices.BinarySearch(majorant.corners, i)
			apart, left, right = d, i, majorant.corners[at]
		}
	}
	for _, i := range slices.Backward(majorant.corners) {
		if d := float64(i) + 1 - minorant.at(i); d > apart {
			at, corner := slices.BinarySearch(minorant.corners, i)
			if !corner {
				at--
			}
			apart, left, right = d, minorant.corners[at], i
		}
	}
	return apart, left, right
}

// hull is a line through some of the points (sorted[i], i).
type hull struct {
	sorted  []float64
	corners []int
}

// corners returns the corners of the convex minorant (sign 1) or of the concave
// majorant (sign -1) of the points from low to high.
func corners(sorted []float64, low, high, sign int) []int {
	out := make([]int, 0, high-low+1)
	for i := low; i <= high; i++ {
		for len(out) > 1 {
			a, b := out[len(out)-2], out[len(out)-1]
			// Is b on the wrong side of the line from a to i, or on it?
			turn := float64(b-a)*(sorted[i]-sorted[a]) - float64(i-a)*(sorted[b]-sorted[a])
			if float64(sign)*turn < 0 {
				break
			}
			out = out[:len(out)-1]
		}
		out = append(out, i)
	}
	return out
}

// at returns the height of the line at sorted[i].
func (h hull) at(i int) float64 {
	at, corner := slices.BinarySearch(h.corners, i)
	if corner {
		return float64(i)
	}
	a, b := h.corners[at-1], h.corners[at]
	if h.sorted[a] == h.sorted[b] {
		return float64(b)
	}
	return float64(a) + float64(b-a)*(h.sorted[i]-h.sorted[a])/(h.sorted[b]-h.sorted[a])
}
