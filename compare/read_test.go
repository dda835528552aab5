package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/tracer/record"
)

// small is a recording of two programs, three bare loads each.
func small(t testing.TB) []any {
	t.Helper()
	f := fake{seed: 1, kernel: "6.12", bare: 3, factor: 1, programs: []program{
		{file: "a.bpf.o", name: "p", ns: lognormal(1e6, 0.1), insns: 10, states: 1},
		{file: "b.bpf.o", name: "p", ns: lognormal(1e6, 0.1), insns: 10, states: 1},
	}}
	return f.lines()
}

func TestReadErrors(t *testing.T) {
	whole := string(encoded(t, small(t)))
	lines := strings.SplitAfter(whole, "\n")
	without := func(drop ...int) string {
		var b strings.Builder
		for i, line := range lines {
			keep := true
			for _, d := range drop {
				keep = keep && i != d
			}
			if keep {
				b.WriteString(line)
			}
		}
		return b.String()
	}
	last := len(lines) - 2 // the end; behind it is nothing
	header := "file_name,prog_name,verdict,duration\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "empty"},
		"cut off":           {without(last), "it has no end: cut off"},
		"half a line":       {whole[:len(whole)-20], "line 10: its last line is cut off"},
		"a sample missing":  {without(5), "it has 5 samples, but its end counts 6"},
		"no machine":        {without(0), "line 1: no recording"},
		"a feed of trace":   {`{"schema":"verialloc/1","kind":"environment"}`, "line 1: no recording"},
		"only the unknown":  {`{"schema":"verialloc/1","kind":"new"}`, "no recording"},
		"another schema":    {`{"schema":"verialloc/2","kind":"machine"}`, "line 1: schema"},
		"no program":        {without(1), "line 3: a sample of program 0"},
		"twice the machine": {lines[0] + whole, "line 2: a second machine"},
		"twice the program": {lines[0] + lines[1] + whole[len(lines[0]):], "line 3: program 0 again"},
		"two recordings":    {whole + whole, "line 11: there is more after the end"},
		"another mode":      {strings.Replace(whole, `"mode":"bare"`, `"mode":"both"`, 1), `line 4: mode "both"`},
		"a broken line":     {lines[0] + "{\n" + whole, "line 2: "},
		"a column too few":  {header + "a.bpf.o,p,success\n", "line 2: "},
		"a column unknown":  {"file_name,prog_name,colour\n", "line 1: "},
		"the second table":  {header + "a.bpf.o,p,success,1\n\n" + header + "a.bpf.o,p,success\n", "line 5: "},
		"another second":    {header + "a.bpf.o,p,success,1\nfile_name,prog_name,duration\na.bpf.o,p,1\n", "line 3: the table that begins here has other columns"},
		"prose":             {"Hi Kumar,\n\nThank you\n", "line 1: "},
	} {
		in, err := Read("side", strings.NewReader(c.text), ReadOptions{})
		if err == nil || !errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), "side: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want side: ... %q", name, err, c.want)
		}
		if in != nil {
			t.Errorf("%s: half a side", name)
		}
	}
}

func TestReadPartial(t *testing.T) {
	whole := string(encoded(t, small(t)))
	end := strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n") + 1
	for name, text := range map[string]string{
		"without its end":         whole[:end],
		"with half a line behind": whole[:end] + `{"schema":"verial`,
	} {
		in, err := Read("side", strings.NewReader(text), ReadOptions{Partial: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(in.subjects) != 2 || in.source.Samples != 6 || len(in.warnings) == 0 || in.warnings[0].Code != "cut_off" {
			t.Errorf("%s: %+v", name, in)
		}
	}
	// What is not whole elsewhere remains an error.
	if _, err := Read("side", strings.NewReader(`{"schema":"verialloc/1","kind":"machine"`+"\n"+whole), ReadOptions{Partial: true}); err == nil {
		t.Error("a broken line within is not refused")
	}
}

func TestReadInterrupted(t *testing.T) {
	lines := small(t)
	lines[len(lines)-1].(*record.End).Interrupted = true
	in, err := Read("side", bytes.NewReader(encoded(t, lines)), ReadOptions{})
	if err != nil || len(in.warnings) != 1 || in.warnings[0].Code != "interrupted" {
		t.Errorf("%v, %+v", err, in)
	}
}

// Two objects of one base name in different directories are ambiguous by name.
func TestReadAmbiguous(t *testing.T) {
	lines := small(t)
	for _, line := range lines {
		if p, ok := line.(*record.Program); ok {
			p.File = "same.bpf.o"
		}
	}
	in, err := Read("side", bytes.NewReader(encoded(t, lines)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(in, in, Options{})
	if err != nil || len(c.Rows) != 0 || len(c.Unmatched) != 1 || !strings.Contains(c.Unmatched[0].Why, "2 programs have this file and name") {
		t.Errorf("%v, %+v", err, c)
	}
}

// A load that the tracer did not see whole counts in no sum.
func TestInexactLeftOut(t *testing.T) {
	a, b := sides()
	lines := a.lines()
	spoilt := 0
	for _, line := range lines {
		if s, ok := line.(*record.Sample); ok && s.Traced != nil && s.Name == "faster" && spoilt < 2 {
			s.Traced.Exact, s.Traced.Allocs = false, 1
			spoilt++
		}
	}
	in, err := Read("base", bytes.NewReader(encoded(t, lines)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(in, b.read(t, "new"), Options{ObserverBudgetPercent: 25})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "faster", "allocs"); r.Base.Samples != 4 || r.Verdict != Same {
		t.Errorf("%+v", r)
	}
	for _, w := range c.Warnings {
		if w.Code == "left_out" && w.Metric == "allocs" {
			return
		}
	}
	t.Errorf("not reported: %+v", c.Warnings)
}

// Whatever is read, no error is a panic, and what is read can be compared and written as JSON.
func FuzzRead(f *testing.F) {
	one := fake{seed: 1, bare: 1, traced: 1, factor: 1, programs: []program{{file: "a.bpf.o", name: "p", ns: lognormal(1e6, 0.1), insns: 10, states: 1, observer: 1}}}
	f.Add(encoded(f, one.lines()))
	// Short ones, which the fuzzer can take apart.
	f.Add([]byte(`{"schema":"verialloc/1","kind":"machine"}
{"schema":"verialloc/1","kind":"program","prog_name":"p"}
{"schema":"verialloc/1","kind":"sample","mode":"bare","verdict":"accepted","duration_ns":5000}
{"schema":"verialloc/1","kind":"sample","mode":"traced","traced":{"exact":true,"allocs":1,"types":[{"name":"env","shares":[{"cache":"c"}]}]}}
{"schema":"verialloc/1","kind":"end","samples":2}
`))
	f.Add([]byte("file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,mem_peak\na.bpf.o,p,failure,121,20,2,2,0\n"))
	f.Add([]byte("file_name,prog_name,duration\na.bpf.o,p,1\nfile_name,prog_name,duration\na.bpf.o,p,2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := Read("side", bytes.NewReader(data), ReadOptions{Partial: true})
		if err != nil {
			if in != nil || !strings.HasPrefix(err.Error(), "side: ") {
				t.Fatalf("%+v with %v", in, err)
			}
			return
		}
		c, err := Compare(in, in, Options{Metrics: Metrics(), ObserverBudgetPercent: 25})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := jsonl.New(&b).Write(c); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			t.Fatalf("no JSON: %s", b.Bytes())
		}
		for i := range c.Rows {
			for _, r := range c.Rows[i].Metrics {
				if r.Verdict == Better || r.Verdict == Worse {
					t.Fatalf("a side against itself: %+v", r)
				}
			}
		}
	})
}
