package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// The bare and traced loads of the one program, and what they give. Their lower medians
// are 1776 and 28416 us, which would be a cost of 16.
var (
	outletBare   = []time.Duration{29935 * time.Microsecond, 1733 * time.Microsecond, 45977 * time.Microsecond, 1776 * time.Microsecond}
	outletTraced = []time.Duration{28416 * time.Microsecond, 60000 * time.Microsecond, 20000 * time.Microsecond, 35006 * time.Microsecond}
)

const (
	outletMedianNS = 15_855_500
	outletTracedNS = 31_711_000
	outletCost     = 2
)

// A recording has one median and one observer cost, whatever shows them.
func TestOutlets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	outletBench(t, "-o", "jsonl", "--output", path)

	// Whole microseconds, the fraction of which is cut off, as veristat's columns.
	whole := math.Floor(outletMedianNS / 1000.0)
	for name, text := range map[string]string{
		"bench":            outletBench(t),
		"bench --extended": outletBench(t, "--extended"),
		"bench -R":         outletRun(t, "bench", "-R", path),
	} {
		if got := rowOf(t, text)[3]; got != strconv.FormatFloat(whole, 'f', -1, 64) {
			t.Errorf("%s: duration %s us, want %v", name, got, whole)
		}
	}
	for name, c := range map[string]struct {
		text, column string
		want         float64
	}{
		"bench -o csv":                          {outletBench(t, "-o", "csv"), "duration", whole},
		"bench -o csv --extended":               {outletBench(t, "-o", "csv", "--extended"), "duration", whole},
		"bench -o csv --extended, cost":         {outletBench(t, "-o", "csv", "--extended"), "observer_cost", outletCost},
		"bench -R -o csv":                       {outletRun(t, "bench", "-R", "-o", "csv", path), "duration", whole},
		"bench -C -o csv, base":                 {outletRun(t, "bench", "-C", "-o", "csv", path, path), "duration_base", whole},
		"bench -C -o csv, comp":                 {outletRun(t, "bench", "-C", "-o", "csv", path, path), "duration_comp", whole},
		"compare -o csv, base":                  {outletRun(t, "compare", "-o", "csv", path, path), "duration_base", whole},
		"compare -o csv, comp":                  {outletRun(t, "compare", "-o", "csv", path, path), "duration_comp", whole},
		"compare -o csv --extended, base":       {outletRun(t, "compare", "-o", "csv", "--extended", path, path), "duration_base", outletMedianNS},
		"compare -o csv --extended, comp":       {outletRun(t, "compare", "-o", "csv", "--extended", path, path), "duration_comp", outletMedianNS},
		"bench -o csv --extended, syscall":      {outletBench(t, "-o", "csv", "--extended"), "syscall_ns", outletMedianNS + 500},
		"compare -o csv --extended, syscall":    {outletRun(t, "compare", "-o", "csv", "--extended", path, path), "syscall_base", outletMedianNS + 500},
		"bench -o csv --extended, task clock":   {outletBench(t, "-o", "csv", "--extended"), "task_clock_ns", outletMedianNS},
		"compare -o csv --extended, task clock": {outletRun(t, "compare", "-o", "csv", "--extended", path, path), "task_clock_base", outletMedianNS},
	} {
		if got := cellOf(t, c.text, c.column); got != c.want {
			t.Errorf("%s: %s is %v, want %v", name, c.column, got, c.want)
		}
	}

	// Rounded to the digits that are shown.
	for _, form := range []string{"table", "mail"} {
		shown := regexp.MustCompile(`(?m)(\d+)(\.\d+)?ms`).FindStringSubmatch(outletRun(t, "compare", "-o", form, path, path))
		if shown == nil {
			t.Fatalf("compare -o %s shows no time", form)
		}
		digits := max(0, len(shown[2])-1)
		if want := strconv.FormatFloat(outletMedianNS/1e6, 'f', digits, 64); shown[1]+shown[2] != want {
			t.Errorf("compare -o %s: %s, want %sms", form, shown[0], want)
		}
	}
	outletJSON(t, outletRun(t, "compare", "-o", "json", path, path))
	outletLines(t, path)
	outletBenchfmt(t, outletBench(t, "-o", "benchfmt"))
}

// outletBench measures the one program.
func outletBench(t *testing.T, flags ...string) string {
	t.Helper()
	lab := newFakeLab()
	lab.objects = map[string][]load.Subject{"dir/a.bpf.o": {&fakeProgram{
		lab: lab, file: "a.bpf.o", name: "good", states: 40, bare: slices.Clone(outletBare), traced: slices.Clone(outletTraced),
	}}}
	got := lab.bench(t.Context(), slices.Concat([]string{"-q", "--repeat", "4", "--warmup", "0", "--traced", "4"}, flags, []string{"dir/a.bpf.o"})...)
	got.want(t, codeOK, "")
	return got.stdout
}

func outletRun(t *testing.T, args ...string) string {
	t.Helper()
	got := runFake(t.Context(), &fakeTracer{}, args...)
	got.want(t, codeOK, "")
	return got.stdout
}

// rowOf returns the cells of the program's row of a table.
func rowOf(t *testing.T, text string) []string {
	t.Helper()
	for line := range strings.Lines(text) {
		if cells := strings.Fields(line); len(cells) > 3 && cells[0] == "a.bpf.o" {
			return cells
		}
	}
	t.Fatalf("no row of a.bpf.o:\n%s", text)
	return nil
}

// cellOf returns a number of the program's row of a CSV.
func cellOf(t *testing.T, text, column string) float64 {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, %v:\n%s", len(lines), err, text)
	}
	at := slices.Index(lines[0], column)
	if at < 0 {
		t.Fatalf("no column %s:\n%s", column, text)
	}
	number, err := strconv.ParseFloat(lines[1][at], 64)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func outletJSON(t *testing.T, text string) {
	t.Helper()
	var c compare.Comparison
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	row := &c.Rows[0]
	if m := row.Result("duration"); m == nil || m.Base.Median != outletMedianNS || m.New.Median != outletMedianNS {
		t.Errorf("compare -o json: duration %+v, want %d on both sides", m, outletMedianNS)
	}
	if o := row.Observer; o == nil || o.BasePercent != 100*(outletCost-1) || o.NewPercent != o.BasePercent {
		t.Errorf("compare -o json: observer %+v, want %d percent", o, 100*(outletCost-1))
	}
	if row.Ceiling == nil || row.Ceiling.VerificationNS != outletMedianNS {
		t.Errorf("compare -o json: ceiling %+v, want of %d ns", row.Ceiling, outletMedianNS)
	}
}

// outletLines looks at what the recording itself says.
func outletLines(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	costs := 0
	for line, err := range recording.ReadJSONL(file) {
		if err != nil {
			t.Fatal(err)
		}
		if cost, ok := line.(*record.ObserverCost); ok {
			costs++
			if cost.BareNS != outletMedianNS || cost.TracedNS != outletTracedNS || cost.Ratio != outletCost {
				t.Errorf("observer_cost line: %+v", cost)
			}
		}
	}
	if costs != 1 {
		t.Errorf("%d observer_cost lines", costs)
	}
}

// outletBenchfmt summarises as benchstat does.
func outletBenchfmt(t *testing.T, text string) {
	t.Helper()
	var seconds []float64
	reader := benchfmt.NewReader(strings.NewReader(text), "text")
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok || !strings.HasPrefix(result.Name.String(), "Verify/") {
			continue
		}
		value, ok := result.Value("sec/op")
		if !ok {
			t.Fatalf("%s: %+v", result.Name, result.Values)
		}
		seconds = append(seconds, value)
	}
	if err := reader.Err(); err != nil || len(seconds) != len(outletBare) {
		t.Fatalf("%d results: %v", len(seconds), err)
	}
	got := benchmath.AssumeNothing.Summary(benchmath.NewSample(seconds, &benchmath.DefaultThresholds), 0.95).Center
	if math.Abs(got-outletMedianNS/1e9) > 1e-12 {
		t.Errorf("benchstat's median: %v s, want %v", got, outletMedianNS/1e9)
	}
}

// All that reads a recording takes and refuses the same files, and says the same of them.
func TestOutletsOfCutOff(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	outletBench(t, "-o", "jsonl", "--output", whole)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	end := len(lines) - 2 // behind it is nothing
	for name, c := range map[string]struct{ text, refused, taken string }{
		"no end":      {strings.Join(lines[:end], ""), "it has no end: cut off", "it has no end: cut off, 8 samples are there"},
		"amid a line": {strings.Join(lines[:end-3], "") + lines[end-3][:40], "its last line is cut off", "its last line is cut off: it is left out"},
		"interrupted": {strings.Replace(string(text), `"interrupted":false`, `"interrupted":true`, 1), "", "bench was interrupted: 8 samples are there, fewer than asked for"},
		"lines are missing": {
			strings.Join(slices.Delete(slices.Clone(lines), 4, 5), ""),
			"it has 7 samples, but its end counts 8: lines are missing", "",
		},
		"two in one file": {string(text) + string(text), "there is more after the end: is it two recordings in one file?", ""},
		"another's cost":  {strings.Replace(string(text), `"ratio":2`, `"ratio":16`, 1), "", "the observer cost of a.bpf.o/good is 16 there, and 2 by the samples"},
		"a trace":         {`{"schema":"verialloc/1","kind":"environment"}` + "\n", "line 1: no recording of bench", ""},
	} {
		path := filepath.Join(t.TempDir(), "a.jsonl")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{"bench", "-R", path}, {"bench", "-C", whole, path}, {"compare", whole, path}} {
			if got := runFake(t.Context(), &fakeTracer{}, command...); c.refused != "" {
				got.want(t, codeError, c.refused)
				if got.stdout != "" {
					t.Errorf("%s, %v: half an answer: %s", name, command, got.stdout)
				}
				if cut := strings.Contains(c.refused, "cut off"); cut != strings.Contains(got.stderr, "--partial takes what is there") {
					t.Errorf("%s, %v: advice: %s", name, command, got.stderr)
				}
			}
			if c.taken == "" {
				continue
			}
			got := runFake(t.Context(), &fakeTracer{}, append([]string{command[0], "--partial"}, command[1:]...)...)
			got.want(t, codeOK, "")
			if text := got.stdout + got.stderr; !strings.Contains(text, path+": ") || !strings.Contains(text, c.taken) {
				t.Errorf("%s, %v: want %q in\n%s", name, command, c.taken, text)
			}
		}
	}
}
