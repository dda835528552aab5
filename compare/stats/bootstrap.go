package stats

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/verialloc/verialloc/tracer/record/recording"
)

// Resamples is how often a bootstrap draws.
const Resamples = 2000

// Interval is an estimate with a confidence interval.
type Interval struct {
	Estimate, Lo, Hi float64
}

// Random returns a source of random numbers that depends on the seed and on what it is
// for alone, so that one result does not depend on which others are computed.
func Random(seed uint64, purpose ...string) *rand.Rand {
	hash := fnv.New64a()
	for _, word := range purpose {
		hash.Write([]byte(word))
		hash.Write([]byte{0})
	}
	return rand.New(rand.NewPCG(seed, hash.Sum64()))
}

// Quantile returns the q-quantile of sorted values, one or more, interpolated between
// the two that are nearest (Hyndman and Fan's type 7).
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// TailSamples returns the least number of values that bound the q-quantile: the
// greatest of them is above it with the given confidence, two-sided.
func TailSamples(q, confidence float64) int {
	return int(math.Ceil(math.Log((1-confidence)/2) / math.Log(q)))
}

// TailChange returns by which factor the q-quantile of b is that of a, with the
// percentile interval of a bootstrap. Values are above 0.
func TailChange(a, b []float64, q, confidence float64, random *rand.Rand) Interval {
	drawA, drawB := newResampler(a, random), newResampler(b, random)
	ratios := make([]float64, Resamples)
	for i := range ratios {
		ratios[i] = drawB.quantile(q) / drawA.quantile(q)
	}
	return percentiles(Quantile(drawB.sorted, q)/Quantile(drawA.sorted, q), ratios, confidence)
}

// Pair is the two sides of one row.
type Pair struct {
	A, B []float64
}

// GeometricMean returns the geometric mean over the pairs of the factor between their
// medians. Values are above 0.
func GeometricMean(pairs []Pair) float64 {
	sum := 0.0
	for _, p := range pairs {
		sum += math.Log(recording.Median(p.B) / recording.Median(p.A))
	}
	return math.Exp(sum / float64(len(pairs)))
}

// GeometricMeanInterval returns it with the percentile interval of a bootstrap within
// each pair: what other measurements of the same pairs would give.
func GeometricMeanInterval(pairs []Pair, confidence float64, random *rand.Rand) Interval {
	sums := make([]float64, Resamples)
	for _, p := range pairs {
		drawA, drawB := newResampler(p.A, random), newResampler(p.B, random)
		for i := range sums {
			sums[i] += math.Log(drawB.quantile(0.5) / drawA.quantile(0.5))
		}
	}
	for i := range sums {
		sums[i] = math.Exp(sums[i] / float64(len(pairs)))
	}
	return percentiles(GeometricMean(pairs), sums, confidence)
}

// resampler draws sets from values, with replacement, as many as there are.
type resampler struct {
	sorted []float64
	drawn  []float64
	counts []int // how often each was drawn: that sorts a set
	random *rand.Rand
}

func newResampler(values []float64, random *rand.Rand) *resampler {
	return &resampler{
		sorted: slices.Sorted(slices.Values(values)),
		drawn:  make([]float64, len(values)),
		counts: make([]int, len(values)),
		random: random,
	}
}

// quantile returns the q-quantile of a new set.
func (r *resampler) quantile(q float64) float64 {
	n := len(r.sorted)
	if r.sorted[0] == r.sorted[n-1] {
		return r.sorted[0]
	}
	clear(r.counts)
	for range n {
		r.counts[r.random.IntN(n)]++
	}
	drawn := r.drawn[:0]
	for i, count := range r.counts {
		for range count {
			drawn = append(drawn, r.sorted[i])
		}
	}
	return Quantile(drawn, q)
}

func percentiles(estimate float64, draws []float64, confidence float64) Interval {
	slices.Sort(draws)
	tail := (1 - confidence) / 2
	return Interval{estimate, Quantile(draws, tail), Quantile(draws, 1-tail)}
}
