package compare

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/compare/veristat"
)

// The tables of a patch's mails to the BPF mailing list in January 2026, "bpf/verifier:
// implement slab cache for verifier state list": each load was measured once. The CSVs
// are the mails' raw data, the texts what veristat -C printed of them.
func thread(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/thread_" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readSide(t *testing.T, name string, data []byte) *Input {
	t.Helper()
	in, err := Read(name, bytes.NewReader(data), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestThreadIsInconclusive(t *testing.T) {
	for mail, programs := range map[string]int{"first": 5, "second": 27} {
		base := readSide(t, "baseline_stats.csv", thread(t, mail+"_baseline.csv"))
		comp := readSide(t, "patched_stats.csv", thread(t, mail+"_patched.csv"))
		c, err := Compare(base, comp, Options{Metrics: Metrics()})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Rows) != programs || len(c.Unmatched) != 0 {
			t.Errorf("%s: %d rows, %d unmatched, want %d and 0", mail, len(c.Rows), len(c.Unmatched), programs)
		}
		for i := range c.Rows {
			if len(c.Rows[i].Metrics) != 5 {
				t.Errorf("%s: %d metrics, want those of the short header", c.Rows[i].Prog, len(c.Rows[i].Metrics))
			}
			for _, r := range c.Rows[i].Metrics {
				if r.Verdict != Inconclusive || r.Reason != ReasonOneSample || r.SettleSamples == 0 || r.P != nil {
					t.Errorf("%s %s: %+v", c.Rows[i].Prog, r.Metric, r)
				}
			}
		}
		for _, g := range c.GeometricMeans {
			if g.Verdict != Inconclusive || g.LoPercent != nil {
				t.Errorf("%+v", g)
			}
		}
	}
}

// printed returns the rows of a table that veristat -C printed.
func printed(t *testing.T, name string) [][]string {
	t.Helper()
	var rows [][]string
	for line := range strings.Lines(string(thread(t, name))) {
		if cells := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1); strings.HasSuffix(cells[0], ".bpf.o") {
			if len(cells) != 17 {
				t.Fatalf("%d cells: %s", len(cells), line)
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// The second mail appends a table beside the raw data that it says it is of. Both in one
// file, the rows of one program contradict each other: the table has no peak states where
// the data has some.
func TestThreadContradictsItself(t *testing.T) {
	raw := thread(t, "second_baseline.csv")
	var table strings.Builder
	table.WriteString("file_name,prog_name,verdict,duration,total_insns,total_states,peak_states\n")
	for _, c := range printed(t, "second_table.txt") {
		fmt.Fprintln(&table, strings.Join([]string{c[0], c[1], c[2], c[5], c[8], c[11], c[14]}, ","))
	}
	var short strings.Builder // the table has no mem_peak
	for line := range strings.Lines(string(raw)) {
		short.WriteString(line[:strings.LastIndexByte(line, ',')] + "\n")
	}
	in := readSide(t, "both.csv", []byte(short.String()+"\n"+table.String()))
	var contradictions []string
	for _, w := range in.warnings {
		switch {
		case w.Code != "repeated_row":
			t.Errorf("%+v", w)
		case strings.Contains(w.Text, "contradict"):
			contradictions = append(contradictions, w.Prog+": "+w.Text)
		case !strings.Contains(w.Text, "its 2 rows are the same, and count once"):
			t.Errorf("%+v", w)
		}
	}
	if len(in.warnings) != 27 {
		t.Errorf("%d programs are in both, want 27", len(in.warnings))
	}
	want := []string{
		"flow_dissector_4: both.csv: its 2 rows contradict each other: peak_states 4 and 0; the first is shown",
		"flow_dissector_5: both.csv: its 2 rows contradict each other: peak_states 21 and 0; the first is shown",
		"prog_invalid_flags: both.csv: its 2 rows contradict each other: peak_states 5 and 0; the first is shown",
		"prog_nested_calls: both.csv: its 2 rows contradict each other: peak_states 19 and 0; the first is shown",
		"prog_non_constant_callback: both.csv: its 2 rows contradict each other: peak_states 5 and 0; the first is shown",
		"prog_null_ctx: both.csv: its 2 rows contradict each other: peak_states 3 and 0; the first is shown",
		"stack_check: both.csv: its 2 rows contradict each other: peak_states 25 and 0; the first is shown",
		"test_prog: both.csv: its 2 rows contradict each other: peak_states 7 and 0; the first is shown",
	}
	if !slices.Equal(contradictions, want) {
		t.Errorf("contradictions:\n%s", strings.Join(contradictions, "\n"))
	}
	c, err := Compare(in, readSide(t, "patched_stats.csv", thread(t, "second_patched.csv")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "stack_check", "duration"); r.Verdict != Inconclusive || r.Reason != ReasonContradicts || r.SettleSamples != 0 {
		t.Errorf("%+v", r)
	}
}

// Pasting the raw data of both mails into one file makes no samples of it.
func TestThreadTwiceIsNoSample(t *testing.T) {
	base := slices.Concat(thread(t, "first_baseline.csv"), thread(t, "second_baseline.csv"))
	comp := slices.Concat(thread(t, "first_patched.csv"), thread(t, "second_patched.csv"))
	for range 3 {
		base, comp = slices.Concat(base, base), slices.Concat(comp, comp)
	}
	c, err := Compare(readSide(t, "base", base), readSide(t, "new", comp), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "arena_strsearch", "duration"); r.Base.Samples != 1 || r.Verdict != Inconclusive {
		t.Errorf("%+v", r)
	}
}

// -o csv has what veristat -C printed in the mails, number by number, and BPF CI's
// columns if asked for them.
func TestThreadAsVeristat(t *testing.T) {
	emit, err := veristat.ParseSpec("file,prog,verdict,duration,insns,states")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	base, comp := readSide(t, "a", thread(t, "second_baseline.csv")), readSide(t, "b", thread(t, "second_patched.csv"))
	joined, err := AsVeristat(base, comp, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := joined.WriteCSV(&b, veristat.View{Emit: emit}); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := printed(t, "second_table.txt")
	if len(got) != len(want)+1 {
		t.Fatalf("%d rows, want %d", len(got)-1, len(want))
	}
	for i, row := range want {
		if !slices.Equal(got[i+1], row[:14]) {
			t.Errorf("%v, want %v", got[i+1], row[:14])
		}
	}

	if emit, err = veristat.ParseSpec("file,prog,verdict,states"); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := joined.WriteCSV(&b, veristat.View{Emit: emit}); err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(b.String(), "\n")
	if want := "file_name,prog_name,verdict_base,verdict_comp,verdict_diff,total_states_base,total_states_comp,total_states_diff"; header != want {
		t.Errorf("%s, want %s", header, want)
	}
}
