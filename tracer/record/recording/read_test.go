package recording

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(text(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine.Kernel != "6.12" || got.Environment == nil || len(got.Programs) != 5 || len(got.Samples) != 14 || got.End.TracedAbsent != "some" || len(got.Warnings) != 0 {
		t.Errorf("%+v", got)
	}
	loads := got.Loads()
	if len(loads) != 5 || len(loads[0].Bare) != 4 || len(loads[0].Traced) != 4 || len(loads[1].Bare) != 0 || len(loads[4].Traced) != 1 {
		t.Errorf("%+v", loads)
	}
	if got.Samples[7].Traced.Types == nil || got.Samples[0].Counters == nil {
		t.Error("something of a sample is missing")
	}
	slim, err := Read(strings.NewReader(text(t)), Options{Slim: true, Bench: true})
	if err != nil || slim.Samples[7].Traced.Types != nil || len(slim.Warnings) != 0 {
		t.Errorf("slim: %v, %+v", err, slim)
	}
}

func TestReadTrace(t *testing.T) {
	got, err := Read(strings.NewReader(feed), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine != nil || got.Environment.Kernel != "6.12" || len(got.Verifications) != 2 || got.Verifications[0].Types == nil || got.Summary == nil || len(got.Warnings) != 0 {
		t.Errorf("%+v", got)
	}
	if slim, err := Read(strings.NewReader(feed), Options{Slim: true}); err != nil || slim.Verifications[0].Types != nil {
		t.Errorf("slim: %v, %+v", err, slim)
	}
	if _, err := Read(strings.NewReader(feed), Options{Bench: true}); err == nil || err.Error() != "line 1: "+errNotBench.Error() {
		t.Errorf("as bench's: %v", err)
	}
}

// What is wrong with a file is one error, which names the line if it is one line's.
func TestReadErrors(t *testing.T) {
	bench, trace := strings.SplitAfter(text(t), "\n"), strings.SplitAfter(feed, "\n")
	end := len(bench) - 2 // behind it is nothing
	without := func(lines []string, at ...int) string {
		kept := slices.Clone(lines)
		for _, i := range at {
			kept[i] = ""
		}
		return strings.ReplaceAll(strings.Join(kept, ""), "\n\n", "\n")
	}
	whole := strings.Join(bench, "")
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "no recording"},
		"nothing known":        {`{"schema":"verialloc/1","kind":"later"}`, "no recording"},
		"another schema":       {`{"schema":"verialloc/2","kind":"machine"}`, "line 1: schema"},
		"a broken line":        {bench[0] + "{\n" + whole, "line 2: "},
		"no machine":           {without(bench, 0), "line 1: no recording of bench"},
		"begins anywhere":      {without(trace, 0), "line 1: no recording: it begins with neither"},
		"cut off":              {without(bench, end), "it has no end: cut off"},
		"half a line":          {whole[:len(whole)-20], "line 28: its last line is cut off"},
		"a sample missing":     {without(bench, 8), "it has 13 samples, but its end counts 14: lines are missing"},
		"no program":           {without(bench, 1), "line 6: a sample of program 0, which no line ahead of it describes"},
		"cost of no program":   {strings.Replace(whole, `"observer_cost","program":0`, `"observer_cost","program":7`, 1), "line 22: an observer_cost of program 7"},
		"another mode":         {strings.Replace(whole, `"mode":"bare"`, `"mode":"both"`, 1), `line 7: mode "both"`},
		"twice the machine":    {bench[0] + whole, "line 2: a second machine line"},
		"twice the program":    {bench[0] + bench[1] + without(bench, 0), "line 3: program 0 again"},
		"twice the tracer":     {strings.Replace(whole, bench[13], bench[13]+bench[13], 1), "line 15: a second environment line"},
		"two recordings":       {whole + whole, "line 29: there is more after the end"},
		"a trace behind":       {whole + feed, "line 29: there is more after the end"},
		"a trace cut off":      {without(trace, 5), "it has no end: cut off"},
		"half a trace line":    {feed[:len(feed)-5], "line 6: its last line is cut off"},
		"verification missing": {without(trace, 3), "it has 1 verifications, but its summary counts 2"},
		"two traces":           {feed + feed, "line 7: there is more after the end"},
		"two, the first cut":   {without(trace, 5) + feed, "line 6: a second environment line"},
		"bench within a trace": {trace[0] + whole, "line 2: a machine line in the feed of a trace"},
		"samples in a trace":   {trace[0] + bench[7], "line 2: a sample line in the feed of a trace"},
	} {
		got, err := Read(strings.NewReader(c.text), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if got != nil {
			t.Errorf("%s: half a recording", name)
		}
		cut := strings.Contains(c.want, "cut off")
		if errors.Is(err, ErrCutOff) != cut {
			t.Errorf("%s: %v: cut off: %t", name, err, cut)
		}
		partial, err := Read(strings.NewReader(c.text), Options{Partial: true})
		if (err == nil) != cut {
			t.Errorf("%s, partial: %v", name, err)
		}
		if cut && (len(partial.Warnings) == 0 || partial.Warnings[0].Code != WarnCutOff) {
			t.Errorf("%s, partial: %+v", name, partial.Warnings)
		}
	}
}

func TestReadPartial(t *testing.T) {
	whole := text(t)
	end := strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n") + 1
	for _, c := range []struct {
		text string
		want []Warning
	}{
		{whole[:end], []Warning{{WarnCutOff, "it has no end: cut off, 14 samples are there"}}},
		{whole[:end+9], []Warning{{WarnCutOff, "its last line is cut off: it is left out"}, {WarnCutOff, "it has no end: cut off, 14 samples are there"}}},
		{whole, nil},
		{feed[:len(feed)-9], []Warning{{WarnCutOff, "its last line is cut off: it is left out"}, {WarnCutOff, "it has no end: cut off, 2 verifications are there"}}},
		{strings.Replace(whole, `"interrupted":false`, `"interrupted":true`, 1), []Warning{{WarnInterrupted, "bench was interrupted: 14 samples are there, fewer than asked for"}}},
	} {
		got, err := Read(strings.NewReader(c.text), Options{Partial: true})
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(c.want, got.Warnings); diff != "" {
			t.Errorf("warnings (-want +got):\n%s", diff)
		}
	}
}

func TestSniff(t *testing.T) {
	for input, want := range map[string]bool{
		"": false, "  \n": false, "{": true, "\r\n \t{\"a\"": true, "file_name,prog_name\n": false,
		strings.Repeat(" ", 1<<16) + "{": false,
	} {
		reader := bufio.NewReader(strings.NewReader(input))
		if got := Sniff(reader); got != want {
			t.Errorf("%.20q: %t", input, got)
		}
		if rest, err := io.ReadAll(reader); err != nil || string(rest) != input {
			t.Errorf("%.20q: %.20q is left, %v", input, rest, err)
		}
	}
}

// Whatever is read, no error is a panic, and what can be read can be summarised, and
// written so that it is read as the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(text(f)), true)
	f.Add([]byte(feed), false)
	// Short ones, which the fuzzer can take apart.
	f.Add([]byte(`{"schema":"verialloc/1","kind":"machine"}
{"schema":"verialloc/1","kind":"program","prog_name":"p_5"}
{"schema":"verialloc/1","kind":"sample","mode":"bare","verdict":"accepted","duration_ns":5000}
{"schema":"verialloc/1","kind":"sample","mode":"traced","duration_ns":6000,"traced":{"exact":true,"allocs":1}}
{"schema":"verialloc/1","kind":"observer_cost","ratio":1.2}
{"schema":"verialloc/1","kind":"fit","stress":"p","sizes":[5]}
{"schema":"verialloc/1","kind":"end","samples":2}
`), false)
	f.Fuzz(func(t *testing.T, data []byte, slim bool) {
		rec, err := Read(bytes.NewReader(data), Options{Partial: true, Slim: slim})
		strict, strictErr := Read(bytes.NewReader(data), Options{Slim: slim})
		if err != nil {
			if rec != nil || strict != nil || strings.Contains(err.Error(), "\n") && !bytes.Contains(data, []byte(`\n`)) {
				t.Fatalf("%+v and %+v with %v", rec, strict, err)
			}
			return
		}
		if cut := slices.ContainsFunc(rec.Warnings, func(w Warning) bool { return w.Code == WarnCutOff }); cut != errors.Is(strictErr, ErrCutOff) || !cut && strict == nil {
			t.Fatalf("cut off %t, but strictly %v", cut, strictErr)
		}
		if rec.Machine == nil {
			return
		}
		var sink lines
		w := NewWriter(*rec.Machine, &sink)
		for i := range rec.Programs {
			w.Program(&rec.Programs[i])
		}
		for i := range rec.Samples {
			w.Sample(&rec.Samples[i])
		}
		if err := w.Finish(record.End{}); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&sink.text, Options{Slim: slim})
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Warnings) > 0 || len(again.Samples) != len(rec.Samples) {
			t.Fatalf("%d samples of %d, %+v", len(again.Samples), len(rec.Samples), again.Warnings)
		}
	})
}
