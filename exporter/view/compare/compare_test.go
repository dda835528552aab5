package comparison

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/internal/sample"
)

const data = "../../../compare/testdata/"

// compared returns the comparison that package compare writes as JSON, read back: it is
// plain data, and a view needs no more.
func compared(t testing.TB) *compare.Comparison {
	t.Helper()
	text, err := os.ReadFile(data + "comparison.json")
	if err != nil {
		t.Fatal(err)
	}
	var c compare.Comparison
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// written returns a comparison as table and as mail.
func written(t *testing.T, c *compare.Comparison) []string {
	t.Helper()
	var table, mail strings.Builder
	if err := errors.Join(WriteTable(&table, c), WriteMail(&mail, c)); err != nil {
		t.Fatal(err)
	}
	return []string{table.String(), mail.String()}
}

func TestGolden(t *testing.T) {
	c := compared(t)
	for name, write := range map[string]func(io.Writer, *compare.Comparison) error{
		"comparison.txt":          WriteTable,
		"comparison.mail":         WriteMail,
		"comparison_extended.csv": WriteCSV,
	} {
		sample.Golden(t, name, func(b *bytes.Buffer) error { return write(b, c) })
	}
}

// The tables of a patch's mails to the BPF mailing list; see the tests of package
// compare.
func TestThread(t *testing.T) {
	side := func(name, path string) *compare.Input {
		file, err := os.Open(data + path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		in, err := compare.Read(name, file, compare.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	for _, mail := range []string{"thread_first", "thread_second"} {
		c, err := compare.Compare(side("baseline_stats.csv", mail+"_baseline.csv"), side("patched_stats.csv", mail+"_patched.csv"),
			compare.Options{Metrics: compare.Metrics()})
		if err != nil {
			t.Fatal(err)
		}
		sample.Golden(t, mail+".txt.golden", func(b *bytes.Buffer) error { return WriteTable(b, c) })
		sample.Golden(t, mail+".mail.golden", func(b *bytes.Buffer) error { return WriteMail(b, c) })
	}
}

// What says nothing of a cache of its own, and holds little, is counted, not shown.
func TestShownSlack(t *testing.T) {
	c := &compare.Comparison{Slack: []compare.Slack{
		{Type: "large", BytesAllocated: 9000}, {Type: "sized", BytesAllocated: 8, ObjectBytes: 8}, {Type: "small", BytesAllocated: 80},
	}}
	shown, leftOut := shownSlack(c)
	if len(shown) != 2 || shown[0].Type != "large" || shown[1].Type != "sized" || leftOut != 1 {
		t.Errorf("%+v, %d left out", shown, leftOut)
	}
	for _, text := range written(t, c) {
		if !strings.Contains(text, "not shown: 1 row of varying size") || strings.Contains(text, "small") {
			t.Error(text)
		}
	}
}

func TestPartners(t *testing.T) {
	s := compare.Slack{
		DedicatedSlotBytes: 192, Merging: new(true),
		PartnersAccounted: []string{"cred (pid, pid_2)"}, Partners: []string{"aio_kiocb (file_lock_cache, inet_peer_cache, rtable)"},
	}
	want := "if accounted: cred (pid, pid_2); if not: aio_kiocb (file_lock_cache, inet_peer_cache, rtable)"
	if got := partners(&s); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is not known of a side is one line, and what a recording says stays in it.
func TestUnknown(t *testing.T) {
	c := compared(t)
	c.Differences = []compare.Difference{}
	for _, u := range []struct {
		unknown compare.Unknown
		want    string
	}{
		{compare.Unknown{What: "configuration", New: "no /boot"}, "configuration: not known on NEW: no /boot"},
		{compare.Unknown{What: "governor", Base: "hidden"}, "governor: not known on BASE: hidden"},
		{compare.Unknown{What: "CPU", Base: "hidden", New: "hidden"}, "CPU: not known on BASE and NEW: hidden"},
		{compare.Unknown{What: "CPU", Base: "no model", New: "hidden"}, "CPU: not known on BASE: no model; not known on NEW: hidden"},
		{compare.Unknown{What: "a\x1b[1m", New: "b\nNEW forged"}, `a\x1b[1m: not known on NEW: b\nNEW forged`},
	} {
		c.Unknown = []compare.Unknown{u.unknown}
		for _, text := range written(t, c) {
			found := 0
			for line := range strings.Lines(text) {
				if strings.Contains(line, u.want) {
					found++
				}
			}
			if found != 1 || strings.Contains(text, "differ ") || strings.Contains(text, "\x1b") {
				t.Errorf("want one line with %q:\n%s", u.want, text)
			}
		}
	}
}

func TestMailWidth(t *testing.T) {
	c := compared(t)
	c.Rows[0].Prog, c.Base.Name = strings.Repeat("very_long_name_", 12), strings.Repeat("x", 100)
	var text strings.Builder
	if err := WriteMail(&text, c); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 72 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Where nothing was timed one line says why, instead of a table without numbers.
func TestNothingTimed(t *testing.T) {
	c := compared(t)
	for i := range c.Rows {
		if ceiling := c.Rows[i].Ceiling; ceiling != nil {
			ceiling.Absent = "no latency of an allocation was measured: not permitted"
		}
	}
	for _, text := range written(t, c) {
		if one := strings.Join(strings.Fields(text), " "); !strings.Contains(one, "Ceiling of BASE: none, no latency of an allocation was measured: not permitted") ||
			strings.Contains(one, "floor of 100ns") || strings.Contains(one, "in each latency") {
			t.Error(text)
		}
	}
}

// What no number of samples settles says in a footnote what would, once.
func TestUnsettled(t *testing.T) {
	for _, cause := range compare.Unsettleds {
		if unsettledText[cause] == "" {
			t.Errorf("%s: nothing to say", cause)
		}
	}
	for _, text := range written(t, compared(t)) {
		text = strings.Join(strings.Fields(text), " ")
		for _, cause := range []compare.Unsettled{compare.UnsettledWork, compare.UnsettledObserver} {
			if strings.Count(text, unsettledText[cause]) != 1 {
				t.Errorf("%s: want one footnote in\n%s", cause, text)
			}
		}
	}
}

// A footnote names its programs unless a line has its number.
func TestFootnotes(t *testing.T) {
	f := newFootnotes([]compare.Warning{
		{File: "a.o", Prog: "one", Metric: "duration", Text: "shown"},
		{File: "a.o", Prog: "one", Metric: "cycles", Text: "hidden"},
		{File: "a.o", Prog: "one", Metric: "ipc", Text: "hidden"},
		{File: "b.o", Prog: "two", Metric: "cycles", Text: "hidden"},
		{File: "b.o", Prog: "three", Metric: "cycles", Text: "hidden"},
		{File: "b.o", Prog: "three", Metric: "cycles", Text: "alone"},
		{Text: "of all"},
	})
	if marks := f.marks("a.o", "one", "duration"); marks != "1" {
		t.Errorf("marks %q", marks)
	}
	want := []string{"[1] shown", "[2] a.o/one and 2 more: hidden", "[3] b.o/three: alone", "[4] of all"}
	if got := f.lines(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A comparison that was read from anywhere must not reach a terminal or a mailing list as
// it is, nor break the lines of a CSV.
func TestHostile(t *testing.T) {
	c := compared(t)
	metrics := map[*compare.Result]string{}
	for i := range c.Rows {
		for j := range c.Rows[i].Metrics {
			metrics[&c.Rows[i].Metrics[j]] = c.Rows[i].Metrics[j].Metric
		}
	}
	sample.Poison(c)
	for result, name := range metrics { // others are not shown
		result.Metric = name
	}
	for i := range c.GeometricMeans {
		c.GeometricMeans[i].Metric = "duration"
	}
	for name, write := range map[string]func(io.Writer, *compare.Comparison) error{"table": WriteTable, "mail": WriteMail, "CSV": WriteCSV} {
		var b bytes.Buffer
		if err := write(&b, c); err != nil {
			t.Fatal(err)
		}
		sample.Shown(t, name, b.String())
		if !strings.Contains(b.String(), `evil\x1b[2J`) {
			t.Errorf("%s: nothing was escaped", name)
		}
		if name == "CSV" && strings.Count(b.String(), "\n") != 1+len(c.Rows) {
			t.Errorf("%d lines of %d rows", strings.Count(b.String(), "\n"), len(c.Rows))
		}
	}
}

// Whatever can be read and compared can be shown.
func FuzzWrite(f *testing.F) {
	f.Add([]byte(`{"schema":"verialloc/1","kind":"machine"}
{"schema":"verialloc/1","kind":"program","prog_name":"p"}
{"schema":"verialloc/1","kind":"sample","mode":"bare","verdict":"accepted","duration_ns":5000}
{"schema":"verialloc/1","kind":"sample","mode":"traced","traced":{"exact":true,"allocs":1,"types":[{"name":"env","shares":[{"cache":"c"}]}]}}
{"schema":"verialloc/1","kind":"end","samples":2}
`))
	f.Add([]byte("file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,mem_peak\na.bpf.o,p\x1b,failure,121,20,2,2,0\n"))
	f.Add([]byte("file_name,prog_name,duration\na.bpf.o,p,1\nfile_name,prog_name,duration\na.bpf.o,p,2\n"))
	f.Fuzz(func(t *testing.T, side []byte) {
		in, err := compare.Read("side", bytes.NewReader(side), compare.ReadOptions{Partial: true})
		if err != nil {
			return
		}
		c, err := compare.Compare(in, in, compare.Options{Metrics: compare.Metrics(), ObserverBudgetPercent: 25})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := errors.Join(WriteTable(&b, c), WriteMail(&b, c), WriteCSV(&b, c)); err != nil {
			t.Fatal(err)
		}
		sample.Shown(t, "a comparison", b.String())
	})
}
