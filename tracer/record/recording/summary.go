package recording

import (
	"fmt"
	"math"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// ObserverCosts returns what tracing costs, of each program that has samples of both modes
// with a time, in the order of the programs' ids.
func (r *Recording) ObserverCosts() []record.ObserverCost {
	var costs []record.ObserverCost
	for _, l := range r.Loads() {
		if cost, ok := l.ObserverCost(); ok {
			costs = append(costs, cost)
		}
	}
	return costs
}

// ObserverCost returns what tracing adds to a program's verification; ok is false unless
// it has samples of both modes with a time.
func (l *Loads) ObserverCost() (cost record.ObserverCost, ok bool) {
	bare, bareOK := MedianOf(l.Bare, VerifierTime)
	traced, tracedOK := MedianOf(l.Traced, VerifierTime)
	if !bareOK || !tracedOK {
		return record.ObserverCost{}, false
	}
	return record.ObserverCost{
		Head: record.NewHead(record.KindObserverCost), Program: l.Program.ID, File: l.Program.File, Name: l.Program.Name,
		BareNS: uint64(math.Round(bare)), TracedNS: uint64(math.Round(traced)), Ratio: traced / bare,
	}, true
}

// Fits returns how costs grow, of each kind of generated program that was accepted in
// MinSizes sizes or more.
func (r *Recording) Fits() []record.Fit {
	type sweep struct {
		sizes         []int
		times, counts []float64
	}
	sweeps := map[string]*sweep{}
	var kinds []string
	for _, l := range r.Loads() {
		generated, ok := l.Program.GeneratedAs()
		if !ok || len(l.Bare) == 0 || l.Bare[0].Verdict != record.VerdictAccepted {
			continue
		}
		s := sweeps[generated.Kind]
		if s == nil {
			s = &sweep{}
			sweeps[generated.Kind] = s
			kinds = append(kinds, generated.Kind)
		}
		time, _ := MedianOf(l.Bare, VerifierTime)
		count, _ := MedianOf(l.Traced, allocs)
		at, _ := slices.BinarySearch(s.sizes, generated.Size)
		s.sizes = slices.Insert(s.sizes, at, generated.Size)
		s.times = slices.Insert(s.times, at, time)
		s.counts = slices.Insert(s.counts, at, count)
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
		}{{"duration_ns", s.times}, {"allocs", s.counts}} {
			exponent, standardError, ok := fitExponent(sizes, metric.values)
			if !ok {
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

var allocs = Traced(func(v *record.Verification) uint64 { return v.Allocs })

// summary is what a writer made of the samples.
type summary struct {
	costs []record.ObserverCost
	fits  []record.Fit
}

// checkSummary compares what the writer made of the samples with what they give. The
// samples count: of an even number of them, a verialloc up to v0.4 took the lower of the
// middle two for the median.
func (r *reader) checkSummary() {
	if len(r.said.costs)+len(r.said.fits) == 0 {
		return
	}
	var others []string
	costs := map[int]record.ObserverCost{}
	for _, cost := range r.ObserverCosts() {
		costs[cost.Program] = cost
	}
	for _, said := range r.said.costs {
		cost, ok := costs[said.Program]
		if !ok || said.BareNS != cost.BareNS || said.TracedNS != cost.TracedNS || !near(said.Ratio, cost.Ratio) {
			others = append(others, fmt.Sprintf("the observer cost of %s/%s is %.3g there, and %.3g by the samples", said.File, said.Name, said.Ratio, cost.Ratio))
		}
	}
	fits := r.Fits()
	for _, said := range r.said.fits {
		var fit record.Fit
		if i := slices.IndexFunc(fits, func(f record.Fit) bool { return f.Stress == said.Stress && f.Metric == said.Metric }); i >= 0 {
			fit = fits[i]
		}
		if !slices.Equal(said.Sizes, fit.Sizes) || !near(said.Exponent, fit.Exponent) || !near(said.StandardError, fit.StandardError) {
			others = append(others, fmt.Sprintf("%s of %s grow by an exponent of %.3g there, and of %.3g by the samples", said.Metric, said.Stress, said.Exponent, fit.Exponent))
		}
	}
	if len(others) > 0 {
		r.warn(WarnSummary, "%d of its %d observer_cost and fit lines differ from its samples, which count: %s",
			len(others), len(r.said.costs)+len(r.said.fits), others[0])
	}
}

// near reports whether two numbers are equal up to rounding: logarithms differ in the last
// digits between processors.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 2e-6*max(1, math.Abs(a), math.Abs(b))
}
