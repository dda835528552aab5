package recording

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

// kinds returns what kinds of lines were written, in their order, once each in a row.
func (l *lines) kinds(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for line, err := range ReadJSONL(&l.text) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, kind(line))
	}
	return slices.Compact(kinds)
}

func TestWriter(t *testing.T) {
	var sink lines
	w := written(t, &sink)
	want := []string{"machine", "program", "sample", "environment", "sample", "observer_cost", "fit", "end"}
	if diff := cmp.Diff(want, sink.kinds(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	rec := w.Recording()
	if rec.End.Samples != 14 || rec.End.TimeUnixNS == 0 || rec.End.TracedAbsent != "some" || rec.Environment == nil {
		t.Errorf("%+v", rec)
	}
	if rec.Samples[0].Counters != nil || rec.Samples[7].Traced.Types != nil || rec.Samples[7].Traced.Allocs != 7 {
		t.Errorf("kept: %+v and %+v", rec.Samples[0], rec.Samples[7].Traced)
	}
	if kept := written(t, nil).Recording(); kept.Samples[0].Counters == nil || kept.End == nil {
		t.Errorf("kept where nothing is written: %+v", kept)
	}
}

// Nothing is written before there is a sample, and then all that came before.
func TestWriterBegins(t *testing.T) {
	var sink lines
	w := NewWriter(record.Machine{Head: record.NewHead(record.KindMachine)}, &sink)
	w.Program(&record.Program{Head: record.NewHead(record.KindProgram)})
	w.Environment(&record.Environment{Head: record.NewHead(record.KindEnvironment)})
	if sink.count != 0 {
		t.Fatalf("%d lines without a sample", sink.count)
	}
	w.Sample(sampleOf(0, record.ModeBare, 1, 0))
	w.Program(&record.Program{Head: record.NewHead(record.KindProgram), ID: 1})
	want := []string{"machine", "program", "environment", "sample", "program"}
	if diff := cmp.Diff(want, sink.kinds(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}

	// A bench whose programs cannot be loaded has a recording of that.
	sink = lines{}
	w = NewWriter(record.Machine{Head: record.NewHead(record.KindMachine)}, &sink)
	w.Program(&record.Program{Head: record.NewHead(record.KindProgram), Failure: "no"})
	if err := w.Finish(record.End{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"machine", "program", "end"}, sink.kinds(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// After a write that fails there is no other.
func TestWriterFails(t *testing.T) {
	full := errors.New("full")
	sink := lines{refuse: full}
	w := NewWriter(record.Machine{}, &sink)
	if err := w.Program(&record.Program{}); err != nil {
		t.Errorf("a program, which is not written yet: %v", err)
	}
	for name, err := range map[string]error{
		"sample": w.Sample(sampleOf(0, record.ModeBare, 1, 0)), "program": w.Program(&record.Program{ID: 1}),
		"environment": w.Environment(&record.Environment{}), "end": w.Finish(record.End{}), "Err": w.Err(),
	} {
		if !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sink.count != 1 {
		t.Errorf("%d writes", sink.count)
	}
}
