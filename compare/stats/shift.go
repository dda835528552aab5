package stats

import (
	"math"
	"slices"
	"sync"

	"github.com/aclements/go-moremath/stats"
)

// Shift is how much greater the values of one set are than those of another: the
// median of all differences between them (Hodges and Lehmann 1963), with the interval
// of the shifts that the two-sided rank test does not reject. So an interval without 0
// is the same as a p-value below 1 - confidence.
type Shift struct {
	Estimate float64
	// Lo and Hi are infinite where there are too few values for the confidence.
	Lo, Hi float64
}

// HodgesLehmann returns the shift from a to b, of one value or more each.
func HodgesLehmann(a, b []float64, confidence float64) Shift {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	pairs := len(a) * len(b)
	shift := Shift{
		Estimate: (difference(a, b, (pairs+1)/2) + difference(a, b, pairs/2+1)) / 2,
		Lo:       math.Inf(-1),
		Hi:       math.Inf(1),
	}
	if reject := rejected(len(a), len(b), 1-confidence); reject >= 0 {
		shift.Lo = difference(a, b, reject+1)
		shift.Hi = difference(a, b, pairs-reject)
	}
	return shift
}

// difference returns the k-th least of the differences b[j] - a[i], from 1, without
// making them all: the least number that as many do not exceed. Both are sorted.
func difference(a, b []float64, k int) float64 {
	lo, hi := ordinal(b[0]-a[len(a)-1]), ordinal(b[len(b)-1]-a[0])
	for lo < hi {
		middle := lo + int64(uint64(hi-lo)/2)
		if atMost(a, b, number(middle)) >= k {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return number(lo)
}

// atMost returns how many differences b[j] - a[i] do not exceed x.
func atMost(a, b []float64, x float64) int {
	count, i := 0, 0
	for _, v := range b {
		for i < len(a) && v-a[i] > x {
			i++
		}
		count += len(a) - i
	}
	return count
}

// ordinal numbers the floats in their order, so that a search can halve what is
// between two of them.
func ordinal(f float64) int64 {
	bits := int64(math.Float64bits(f + 0)) // -0 is 0
	if bits < 0 {
		bits = math.MinInt64 - bits
	}
	return bits
}

// number is the float of an ordinal.
func number(o int64) float64 {
	if o < 0 {
		o = math.MinInt64 - o
	}
	return math.Float64frombits(uint64(o))
}

// exactLimit is the size up to which the distribution of U is computed, as
// MannWhitney's is.
var exactLimit = stats.MannWhitneyExactLimit

type testSize struct {
	n, m  int
	alpha float64
}

// rejections caches what rejected computes, which takes milliseconds.
var rejections sync.Map

// rejected returns the greatest U of two sets of n and m values for which the
// two-sided rank test rejects at level alpha, -1 if there is none.
func rejected(n, m int, alpha float64) int {
	key := testSize{min(n, m), max(n, m), alpha}
	if cached, ok := rejections.Load(key); ok {
		return cached.(int)
	}
	var u int
	if n <= exactLimit && m <= exactLimit {
		distribution := stats.UDist{N1: n, N2: m}
		// U's distribution is symmetric: half of it is enough.
		lo, hi := -1, n*m/2
		for lo < hi {
			middle := (lo + hi + 1) / 2
			if distribution.CDF(float64(middle)) <= alpha/2 {
				lo = middle
			} else {
				hi = middle - 1
			}
		}
		u = lo
	} else {
		mean := float64(n*m) / 2
		deviation := math.Sqrt(float64(n*m) * float64(n+m+1) / 12)
		u = max(-1, int(math.Floor(mean+deviation*Normal(alpha/2)-0.5)))
	}
	rejections.Store(key, u)
	return u
}

// SamplesFor returns the least number of values a side with which the two-sided rank
// test can reject at level alpha at all: one in choose(2n, n) orders is the extreme.
func SamplesFor(alpha float64) int {
	p := 1.0
	for n := 1; ; n++ {
		p *= float64(n) / float64(2*(2*n-1)) // 1/choose(2n, n), from 1 for n = 0
		if 2*p <= alpha {
			return n
		}
	}
}
