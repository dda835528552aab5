package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verialloc/verialloc/exporter"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/workload/bench"
)

// recording is the result of a bench as it comes. With a feed it is written at once as
// well.
type recording struct {
	machine  record.Machine
	programs []record.Program
	samples  []record.Sample // without what is needed no more once it is written
	end      record.End

	feed   *exporter.JSONL // nil: none
	begun  bool            // the feed has the machine
	failed error           // the first write of the feed that did not succeed
}

func newRecording(m record.Machine) *recording {
	return &recording{machine: m}
}

// Program takes a program.
func (r *recording) Program(p *record.Program) error {
	r.programs = append(r.programs, *p)
	return r.write(p)
}

// Environment takes the tracer's environment, which the feed alone has.
func (r *recording) Environment(e *record.Environment) error { return r.write(e) }

// Sample takes a sample.
func (r *recording) Sample(s *record.Sample) error {
	kept := *s
	if s.Traced != nil {
		traced := *s.Traced
		traced.Types, traced.Caches, traced.Sites, traced.Paths = nil, nil, nil, nil
		kept.Traced = &traced
	}
	if r.feed != nil {
		kept.Counters = nil
	}
	r.samples = append(r.samples, kept)
	return r.write(s)
}

// write writes lines of the feed, the machine ahead of them, unless a write has failed.
func (r *recording) write(lines ...any) error {
	if r.feed == nil || r.failed != nil {
		return r.failed
	}
	if !r.begun {
		r.begun = true
		lines = slices.Insert(lines, 0, any(&r.machine))
	}
	for _, line := range lines {
		if r.failed = r.feed.Write(line); r.failed != nil {
			break
		}
	}
	return r.failed
}

// finish writes what is written last.
func (r *recording) finish() error {
	var lines []any
	for _, cost := range r.observerCosts() {
		lines = append(lines, &cost)
	}
	for _, fit := range r.fits() {
		lines = append(lines, &fit)
	}
	r.end.Head = record.NewHead(record.KindEnd)
	r.end.TimeUnixNS = time.Now().UnixNano()
	r.end.Samples = uint64(len(r.samples))
	return r.write(append(lines, &r.end)...)
}

// taken is the samples of a program.
type taken struct {
	program *record.Program
	bare    []*record.Sample
	traced  []*record.Sample
}

// byProgram returns the samples of each program, in the order of the programs' ids.
func (r *recording) byProgram() []taken {
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

func sampleDuration(s *record.Sample) (uint64, bool) { return s.DurationNS, s.DurationNS > 0 }

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
func (r *recording) observerCosts() []record.ObserverCost {
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
func (r *recording) fits() []record.Fit {
	type sweep struct {
		sizes            []int
		durations, calls []float64
	}
	sweeps := map[string]*sweep{}
	var kinds []string
	for _, t := range r.byProgram() {
		kind, text, ok := strings.Cut(t.program.Name, "_")
		size, err := strconv.Atoi(text)
		if t.program.Path != "" || !ok || err != nil || len(t.bare) == 0 || t.bare[0].Verdict != record.VerdictAccepted {
			continue
		}
		s := sweeps[kind]
		if s == nil {
			s = &sweep{}
			sweeps[kind] = s
			kinds = append(kinds, kind)
		}
		duration, _ := median(t.bare, sampleDuration)
		allocs, _ := median(t.traced, sampleAllocs)
		at, _ := slices.BinarySearch(s.sizes, size)
		s.sizes = slices.Insert(s.sizes, at, size)
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
