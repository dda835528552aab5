package main

import (
	"slices"

	"github.com/verialloc/verialloc/load/bench"
	"github.com/verialloc/verialloc/tracer/record"
)

// taken is the samples of a program.
type taken struct {
	program *record.Program
	bare    []*record.Sample
	traced  []*record.Sample
}

// byProgram returns the samples of each program, in the order of the programs' ids.
func (r *benchRecording) byProgram() []taken {
	all := make([]taken, len(r.programs))
	index := map[int]*taken{}
	programs := slices.Clone(r.programs)
	slices.SortFunc(programs, func(a, b record.Program) int { return a.ID - b.ID })
	for i := range programs {
		all[i].program = &programs[i]
		index[programs[i].ID] = &all[i]
	}
	for i := range r.samples {
		s := &r.samples[i]
		if t := index[s.Program]; s.Mode == record.ModeBare {
			t.bare = append(t.bare, s)
		} else {
			t.traced = append(t.traced, s)
		}
	}
	return all
}

// median returns the lower median of what of gives of the samples; ok is false if it
// gives nothing of any of them. The lower, so that it is a number that was seen.
func median[T uint64 | float64](samples []*record.Sample, of func(*record.Sample) (T, bool)) (m T, ok bool) {
	var values []T
	for _, s := range samples {
		if v, ok := of(s); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return values[(len(values)-1)/2], true
}

func sampleDuration(s *record.Sample) (uint64, bool) { return s.VerifierTimeNS, s.VerifierTimeNS > 0 }

// ofTraced gives what of gives of a traced sample's record, if that is exact: others
// lack allocations.
func ofTraced(of func(*record.Verification) uint64) func(*record.Sample) (uint64, bool) {
	return func(s *record.Sample) (uint64, bool) {
		if s.Traced == nil || !s.Traced.Exact {
			return 0, false
		}
		return of(s.Traced), true
	}
}

var sampleAllocs = ofTraced(func(v *record.Verification) uint64 { return v.Allocs })

// observerCosts returns what tracing costs, of each program that has samples of both
// modes with a time.
func (r *benchRecording) observerCosts() []record.ObserverCost {
	var costs []record.ObserverCost
	for _, t := range r.byProgram() {
		if cost, ok := t.observerCost(); ok {
			costs = append(costs, cost)
		}
	}
	return costs
}

func (t *taken) observerCost() (record.ObserverCost, bool) {
	bare, ok := median(t.bare, sampleDuration)
	traced, tracedOK := median(t.traced, sampleDuration)
	return record.ObserverCost{
		Head: record.NewHead(record.KindObserverCost), Program: t.program.ID, File: t.program.File, Name: t.program.Name,
		BareNS: bare, TracedNS: traced, Ratio: float64(traced) / float64(max(bare, 1)),
	}, ok && tracedOK
}

// fits returns how costs grow, of each kind of generated program that was accepted in
// three sizes or more.
func (r *benchRecording) fits() []record.Fit {
	type sweep struct {
		sizes            []int
		durations, calls []float64
	}
	sweeps := map[string]*sweep{}
	var kinds []string
	for _, t := range r.byProgram() {
		generated, ok := t.program.GeneratedAs()
		if !ok || len(t.bare) == 0 || t.bare[0].Verdict != record.VerdictAccepted {
			continue
		}
		s := sweeps[generated.Kind]
		if s == nil {
			s = &sweep{}
			sweeps[generated.Kind] = s
			kinds = append(kinds, generated.Kind)
		}
		duration, _ := median(t.bare, sampleDuration)
		allocs, _ := median(t.traced, sampleAllocs)
		at, _ := slices.BinarySearch(s.sizes, generated.Size)
		s.sizes = slices.Insert(s.sizes, at, generated.Size)
		s.durations = slices.Insert(s.durations, at, float64(duration))
		s.calls = slices.Insert(s.calls, at, float64(allocs))
	}
	var fits []record.Fit
	for _, kind := range kinds {
		s := sweeps[kind]
		sizes := make([]float64, len(s.sizes))
		for i, size := range s.sizes {
			sizes[i] = float64(size)
		}
		for _, metric := range []struct {
			name   string
			values []float64
		}{{"duration_ns", s.durations}, {"allocs", s.calls}} {
			exponent, standardError, err := bench.FitExponent(sizes, metric.values)
			if err != nil {
				continue
			}
			fits = append(fits, record.Fit{
				Head: record.NewHead(record.KindFit), Stress: kind, Metric: metric.name, Sizes: s.sizes,
				Exponent: exponent, StandardError: standardError,
			})
		}
	}
	return fits
}
