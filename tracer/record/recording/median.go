package recording

import (
	"math"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// Median returns the median, as benchstat has it: of an even number of values the mean of
// the middle two. It is the one median of verialloc, whoever shows it. Of no values it is
// NaN.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	upper := sorted[len(sorted)/2]
	lower := sorted[(len(sorted)-1)/2]
	return lower + (upper-lower)/2
}

// MedianOf returns the median of what number gives of the samples; ok is false where it
// gives nothing of any of them.
func MedianOf(samples []*record.Sample, number func(*record.Sample) (value float64, ok bool)) (median float64, ok bool) {
	var values []float64
	for _, s := range samples {
		if v, ok := number(s); ok {
			values = append(values, v)
		}
	}
	return Median(values), len(values) > 0
}

// VerifierTime gives the verification time of a sample in nanoseconds, by the verifier's
// own clock; none of a load that did not reach the verifier.
func VerifierTime(s *record.Sample) (ns float64, ok bool) {
	return float64(s.VerifierTimeNS), s.VerifierTimeNS > 0
}

// Traced makes a number of a tracer's record one of a traced sample. There is none where
// the record is not exact, because it lacks allocations, and none of a bare sample.
func Traced(number func(*record.Verification) uint64) func(*record.Sample) (value float64, ok bool) {
	return func(s *record.Sample) (float64, bool) {
		if s.Traced == nil || !s.Traced.Exact {
			return 0, false
		}
		return float64(number(s.Traced)), true
	}
}

// Counter gives a counter of a sample; none where it is absent.
func Counter(name string) func(*record.Sample) (value float64, ok bool) {
	return func(s *record.Sample) (float64, bool) {
		counter, ok := s.Counters[name]
		return float64(counter.Value), ok && counter.Absent == ""
	}
}

// InstructionsPerCycle gives those of a sample; none where either was not counted, or no
// cycle was.
func InstructionsPerCycle(s *record.Sample) (ratio float64, ok bool) {
	cycles, ok := Counter(record.CounterCycles)(s)
	instructions, alsoOK := Counter(record.CounterInstructions)(s)
	return instructions / max(cycles, 1), ok && alsoOK && cycles > 0
}
