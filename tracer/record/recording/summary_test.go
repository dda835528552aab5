package recording

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1, 2}, 2},
		{[]float64{29935, 1733, 45977, 1776}, 15855.5},
		{[]float64{-2, 2}, 0},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, math.MaxFloat64},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
	}
	values := []float64{3, 1, 2}
	if Median(values); values[0] != 3 {
		t.Errorf("it has sorted its argument: %v", values)
	}
}

// What the package computes, writes and reads of a recording is one and the same.
func TestSummary(t *testing.T) {
	var sink lines
	w := written(t, &sink)
	read, err := Read(strings.NewReader(sink.text.String()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var costs []record.ObserverCost
	var fits []record.Fit
	for line, err := range ReadJSONL(&sink.text) {
		if err != nil {
			t.Fatal(err)
		}
		switch line := line.(type) {
		case *record.ObserverCost:
			costs = append(costs, *line)
		case *record.Fit:
			fits = append(fits, *line)
		}
	}
	want := []record.ObserverCost{
		{Head: record.NewHead(record.KindObserverCost), Program: 0, File: "a.bpf.o", Name: "prog", BareNS: 15_855_500, TracedNS: 31_711_000, Ratio: 2},
		{Head: record.NewHead(record.KindObserverCost), Program: 2, File: "stress", Name: "x", BareNS: 10_000, TracedNS: 30_000, Ratio: 3},
		{Head: record.NewHead(record.KindObserverCost), Program: 3, File: "stress", Name: "x", BareNS: 100_000, TracedNS: 300_000, Ratio: 3},
		{Head: record.NewHead(record.KindObserverCost), Program: 4, File: "stress", Name: "x", BareNS: 1_000_000, TracedNS: 3_000_000, Ratio: 3},
	}
	wantFits := []record.Fit{
		{Head: record.NewHead(record.KindFit), Stress: "branches", Metric: "duration_ns", Sizes: []int{10, 100, 1000}, Exponent: 1},
		{Head: record.NewHead(record.KindFit), Stress: "branches", Metric: "allocs", Sizes: []int{10, 100, 1000}, Exponent: 2},
	}
	for name, got := range map[string][]record.ObserverCost{"written": costs, "of the writer": w.Recording().ObserverCosts(), "of what was read": read.ObserverCosts()} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("costs %s (-want +got):\n%s", name, diff)
		}
	}
	for name, got := range map[string][]record.Fit{"written": fits, "of the writer": w.Recording().Fits(), "of what was read": read.Fits()} {
		if diff := cmp.Diff(wantFits, got); diff != "" {
			t.Errorf("fits %s (-want +got):\n%s", name, diff)
		}
	}
}

// Lines that do not agree with the samples are found, and the samples count.
func TestSummaryOfAnother(t *testing.T) {
	for _, c := range []struct{ old, other, want string }{
		{`"bare_ns":15855500`, `"bare_ns":1776000`, "1 of its 6 observer_cost and fit lines differ from its samples, which count: the observer cost of a.bpf.o/prog is 2 there, and 2 by the samples"},
		{`"ratio":2}`, `"ratio":16}`, "the observer cost of a.bpf.o/prog is 16 there, and 2 by the samples"},
		{`"metric":"allocs","sizes":[10,100,1000],"exponent":2`, `"metric":"allocs","sizes":[10,100,1000],"exponent":3`, "allocs of branches grow by an exponent of 3 there, and of 2 by the samples"},
		{`"metric":"allocs","sizes":[10,100,1000]`, `"metric":"allocs","sizes":[10,100]`, "1 of its 6 observer_cost and fit lines differ"},
		{`"kind":"fit","stress":"branches"`, `"kind":"fit","stress":"loops"`, "1 of its 6 observer_cost and fit lines differ"},
	} {
		changed := strings.Replace(text(t), c.old, c.other, 1)
		if changed == text(t) {
			t.Fatalf("no %s in\n%s", c.old, changed)
		}
		got, err := Read(strings.NewReader(changed), Options{})
		if err != nil || len(got.Warnings) != 1 || got.Warnings[0].Code != WarnSummary || !strings.Contains(got.Warnings[0].Text, c.want) {
			t.Errorf("%s: %v, %+v, want %q", c.other, err, got, c.want)
			continue
		}
		if cost, ok := got.Loads()[0].ObserverCost(); !ok || cost.Ratio != 2 {
			t.Errorf("%s: %+v", c.other, cost)
		}
	}
}

// Loads that no time is known of, and traced ones whose record is not exact, count in no
// median.
func TestLeftOut(t *testing.T) {
	inexact := sampleOf(0, record.ModeTraced, 9, 1000)
	inexact.Traced.Exact = false
	lost := sampleOf(0, record.ModeTraced, 0, 0)
	lost.Traced = nil
	l := Loads{
		Program: &record.Program{},
		Bare:    []*record.Sample{sampleOf(0, record.ModeBare, 0, 0), sampleOf(0, record.ModeBare, 3, 0)},
		Traced:  []*record.Sample{inexact, lost, sampleOf(0, record.ModeTraced, 12, 5)},
	}
	if cost, ok := l.ObserverCost(); !ok || cost.BareNS != 3000 || cost.TracedNS != 10500 || cost.Ratio != 3.5 {
		t.Errorf("%+v, %t", cost, ok)
	}
	if got, ok := MedianOf(l.Traced, allocs); !ok || got != 5 {
		t.Errorf("%v allocations, %t", got, ok)
	}
	if got, ok := MedianOf(l.Bare, allocs); ok {
		t.Errorf("%v allocations of bare loads", got)
	}
	for name, without := range map[string]Loads{
		"bare":   {Program: l.Program, Traced: l.Traced},
		"traced": {Program: l.Program, Bare: l.Bare},
		"times":  {Program: l.Program, Bare: l.Bare[:1], Traced: l.Traced},
	} {
		if cost, ok := without.ObserverCost(); ok {
			t.Errorf("without %s: %+v", name, cost)
		}
	}
}
