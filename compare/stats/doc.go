// Package stats holds the statistics that compare judges two sets of measurements by.
// None of them assumes a distribution: verification times are skewed, heavy-tailed and
// often bimodal. Every function is deterministic, and safe for concurrent use.
package stats

import (
	"slices"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"github.com/verialloc/verialloc/tracer/record/recording"
)

// Summary is a median with the confidence interval that order statistics give it.
type Summary struct {
	Median float64
	// Lo and Hi are infinite where there are too few values for the confidence.
	Lo, Hi float64
}

// Median returns recording.Median of one value or more, and its interval, as benchstat
// gives it.
func Median(values []float64, confidence float64) Summary {
	s := benchmath.AssumeNothing.Summary(sample(values), confidence)
	return Summary{recording.Median(values), s.Lo, s.Hi}
}

// MannWhitney returns the p-value of the two-sided rank test of two sets of one value
// or more: exact up to 50 values a side, up to 25 where values are equal, and a
// normal approximation beyond. Values that are all equal give 1.
func MannWhitney(a, b []float64) float64 {
	return min(1, benchmath.AssumeNothing.Compare(sample(a), sample(b)).P)
}

// sample returns the values in an order of its own.
func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

// Holm returns p-values adjusted to the number of them: those below alpha can all be
// called significant with a chance of at most alpha that any of them is not
// (Holm 1979), however they depend on each other.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
			return 1
		default:
			return 0
		}
	})
	adjusted := make([]float64, len(p))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = least
	}
	return adjusted
}

// Normal returns the quantile of the standard normal distribution.
func Normal(p float64) float64 {
	return stats.InvCDF(stats.StdNormal)(p)
}
