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
	load := record.Sample{Mode: record.ModeBare, Verdict: record.VerdictRejected, Errno: 13, Counters: map[string]record.Counter{"cycles": {Absent: sample.Hostile}}}
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
			_, err := b.WriteString(Rejection(program, &load, log))
			return err
		},
		"notes": func(b *bytes.Buffer) error {
			return errors.Join(WriteAbsences(b, []record.Sample{load}, sample.Poison(&record.End{})),
				WriteFits(b, []record.Fit{{Stress: sample.Hostile, Sizes: []int{1}}}))
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
		if name == "notes" && strings.Count(b.String(), "\n") != 3 {
			t.Errorf("%s: more lines than a counter, the traced samples and a fit:\n%s", name, b.String())
		}
		if strings.HasSuffix(name, "CSV") && strings.Count(b.String(), "\n") != 2 {
			t.Errorf("%s: more lines than a header and a row:\n%s", name, b.String())
		}
	}
}
