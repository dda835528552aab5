package bench

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

func TestTopSource(t *testing.T) {
	var b strings.Builder
	log := "; int x = 1; @ prog.c:10\n0: (b7) r0 = 1\n; return x; @ prog.c:12\n; int x = 1; @ prog.c:10\n; plain\n"
	WriteTopSource(&b, &record.Program{Name: "prog"}, log, 2)
	if want := "Top source lines (prog):\n    2: (prog.c:10)\tint x = 1; \n    1: plain\n\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	WriteTopSource(&b, &record.Program{Name: "prog"}, "0: (b7) r0 = 1\n", 2)
	if b.Len() > 0 {
		t.Errorf("without lines of source: %q", b.String())
	}
}

// Names and logs that anyone may choose must not reach a terminal as they are, nor break
// the lines of a CSV.
func TestHostile(t *testing.T) {
	program := sample.Poison(&record.Program{Failure: "no"})
	program.ID = 0
	load := record.Sample{Mode: record.ModeBare, Verdict: record.VerdictRejected, Errno: 13, Reason: sample.Hostile, Counters: map[string]record.Counter{"cycles": {Absent: sample.Hostile}}}
	held := &record.Sample{VerifierStats: record.VerifierStats{SyscallNS: 100}, Counters: map[string]record.Counter{record.CounterTaskClock: {Value: 3}}}
	rows := veristat.FromRecording([]recording.Loads{{Program: program, Bare: []*record.Sample{&load}}})
	joined, err := veristat.Compare(rows, rows)
	if err != nil {
		t.Fatal(err)
	}
	extra := veristat.View{Extra: []veristat.Column{{Name: "x", Title: "X", Text: func(*veristat.Row) string { return "1" }}}}
	log := "0: " + sample.Hostile + "\n; " + sample.Hostile + " @ " + sample.Hostile + "\n"
	for name, write := range map[string]func(*bytes.Buffer) error{
		"rows":              func(b *bytes.Buffer) error { return WriteText(b, rows, extra) },
		"rows as CSV":       func(b *bytes.Buffer) error { return WriteCSV(b, rows, extra) },
		"comparison":        func(b *bytes.Buffer) error { return WriteText(b, joined, veristat.View{}) },
		"comparison as CSV": func(b *bytes.Buffer) error { return WriteCSV(b, joined, veristat.View{}) },
		"verifier's log":    func(b *bytes.Buffer) error { return WriteLog(b, program, &load, log) },
		"top source lines":  func(b *bytes.Buffer) error { return WriteTopSource(b, program, log, 5) },
		"rejection": func(b *bytes.Buffer) error {
			_, err := b.WriteString(Rejection(program, &load))
			return err
		},
		"notes": func(b *bytes.Buffer) error {
			return errors.Join(WriteAbsences(b, []record.Sample{load}, sample.Poison(&record.End{})),
				WriteFits(b, []record.Fit{{Stress: sample.Hostile, Sizes: []int{1}}}),
				WriteDisturbances(b, []recording.Loads{{Program: program, Bare: []*record.Sample{held}}}))
		},
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		// Tabs stay in logs, as veristat has them.
		sample.Shown(t, name, strings.ReplaceAll(b.String(), "\t", ""))
		if !strings.Contains(b.String(), `evil\x1b[2J`) {
			t.Errorf("%s: nothing was escaped: %s", name, b.String())
		}
		// A name ends no line.
		if name == "top source lines" && !strings.HasSuffix(strings.SplitN(b.String(), "\n", 2)[0], "):") {
			t.Errorf("%s: %q", name, b.String())
		}
		if name == "notes" && strings.Count(b.String(), "\n") != 4 {
			t.Errorf("%s: more lines than a counter, the traced samples, a fit and a contended program:\n%s", name, b.String())
		}
		if strings.HasSuffix(name, "CSV") && strings.Count(b.String(), "\n") != 2 {
			t.Errorf("%s: more lines than a header and a row:\n%s", name, b.String())
		}
	}
}

func TestDisturbances(t *testing.T) {
	sample := func(mode record.SampleMode, verifier, clock uint64) *record.Sample {
		return &record.Sample{
			Mode: mode, VerifierStats: record.VerifierStats{SyscallNS: 1000, VerifierTimeNS: verifier},
			Counters: map[string]record.Counter{record.CounterTaskClock: {Value: clock}},
		}
	}
	program := func(name string, bare, clock, traced uint64) recording.Loads {
		return recording.Loads{
			Program: &record.Program{File: "a.o", Name: name},
			Bare:    []*record.Sample{sample(record.ModeBare, bare, clock)}, Traced: []*record.Sample{sample(record.ModeTraced, traced, 0)},
		}
	}
	quiet := program("quiet", 900, 990, 1100)
	for name, c := range map[string]struct {
		loads []recording.Loads
		want  string
	}{
		"quiet": {[]recording.Loads{quiet}, ""},
		"contended": {
			[]recording.Loads{quiet, program("half", 900, 500, 1000), program("least", 900, 30, 1000)},
			"bare loads of 2 programs shared their CPU or waited, most so a.o/least, on a CPU 3.0% of the time: task_clock_ns is the measure, not times by the clock\n",
		},
		"faster when traced": {
			[]recording.Loads{quiet, program("x", 900, 990, 513)},
			"traced loads of 1 program took less time than bare ones: the machine was disturbed, and what tracing costs is not known\n",
		},
	} {
		var b strings.Builder
		if err := WriteDisturbances(&b, c.loads); err != nil || b.String() != c.want {
			t.Errorf("%s: %q (%v), want %q", name, b.String(), err, c.want)
		}
	}
	for name, c := range map[string]struct {
		loads recording.Loads
		want  string
	}{
		"slower": {quiet, "1.222"},
		"faster": {program("x", 900, 990, 513), "disturbed"},
	} {
		row := &veristat.Row{}
		for _, column := range ExtraColumns(map[*veristat.Row]*recording.Loads{row: &c.loads}) {
			if got := column.Text(row); column.Name == "observer_cost" && got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}
