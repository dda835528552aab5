package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/tracer/record"
)

// recordingFile writes a recording of one program with bare loads that took that many
// microseconds each.
func recordingFile(t *testing.T, name, kernel string, states uint64, us ...uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := jsonl.New(file)
	lines := []any{
		&record.Machine{Head: record.NewHead(record.KindMachine), Kernel: kernel},
		&record.Program{Head: record.NewHead(record.KindProgram), File: "a.bpf.o", Name: "prog"},
	}
	for i, n := range us {
		lines = append(lines, &record.Sample{
			Head: record.NewHead(record.KindSample), File: "a.bpf.o", Name: "prog", Mode: record.ModeBare, Round: i,
			Verdict: record.VerdictAccepted, VerifierStats: record.VerifierStats{VerifierTimeNS: 1000 * n, TotalStates: states},
		})
	}
	lines = append(lines, &record.End{Head: record.NewHead(record.KindEnd), Samples: uint64(len(us))})
	for _, line := range lines {
		if err := out.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// spread is 20 times about one.
func spread(us uint64) []uint64 {
	var out []uint64
	for i := range uint64(20) {
		out = append(out, us+i*7%20)
	}
	return out
}

func TestCompareExitCodes(t *testing.T) {
	base := recordingFile(t, "base.jsonl", "6.12", 10, spread(1000)...)
	slower := recordingFile(t, "slower.jsonl", "6.12", 10, spread(1100)...)
	single := recordingFile(t, "single.jsonl", "6.12", 10, 1000)
	again := recordingFile(t, "again.jsonl", "6.12", 10, spread(1500)...)
	const noisy = "its interval is within the noise floor of 49.9%"
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{base, slower}, codeOK, ""},
		{[]string{"--fail-on", "duration>2%", base, slower}, codeLimit, "--fail-on: 1 beyond a limit: duration>2%: a.bpf.o/prog: duration changed by +9."},
		{[]string{"--fail-on", "duration>20%", base, slower}, codeOK, ""},
		{[]string{"--fail-on", "duration>2%", slower, base}, codeOK, ""},
		{[]string{"--fail-on", "duration>2%", base, single}, codeUndecided, "--fail-on: 1 undecided: duration>2%: a.bpf.o/prog: duration: one sample"},
		{[]string{"--fail-on", "duration>2%", "--noise", again, base, base}, codeUndecided, noisy},
		{[]string{"--fail-on", "duration<-2%", "--noise", again, base, base}, codeUndecided, noisy},
		{[]string{"--fail-on", "duration>60%", "--noise", again, base, base}, codeOK, ""},
		{[]string{"--fail-on", "states>0%", base, slower}, codeOK, ""},
		{[]string{"--fail-on", "cycles>1%", base, slower}, codeUndecided, "no cycles on both sides"},
		{[]string{"--fail-on", "cycles>1%", "--fail-on", "duration>2%", base, slower}, codeLimit, "duration changed"},
		{[]string{base, filepath.Join(t.TempDir(), "gone.jsonl")}, codeError, "gone.jsonl: no such file"},
		{[]string{"--noise", single, base, slower}, codeOK, ""},
		{[]string{"--noise", recordingFile(t, "other.jsonl", "6.19", 10, spread(1000)...), base, slower}, codeError, "other.jsonl: unusable input: it was recorded on Linux 6.19"},
		{[]string{base, "fake_test.go"}, codeError, "fake_test.go: unusable input: line 1: "},
		{[]string{"-o", "csv", base, slower}, codeOK, ""},
	} {
		got := runFake(t.Context(), &fakeTracer{}, append([]string{"compare"}, c.args...)...)
		got.want(t, c.code, c.stderr)
		if c.code == codeError && got.stdout != "" {
			t.Errorf("%v: half an answer: %s", c.args, got.stdout)
		}
		if c.code != codeError && got.stdout == "" {
			t.Errorf("%v: no answer", c.args)
		}
		if strings.Count(got.stderr, "\n") > 1 {
			t.Errorf("%v: more than a line: %s", c.args, got.stderr)
		}
	}
}

func TestCompareCutOff(t *testing.T) {
	base := recordingFile(t, "base.jsonl", "6.12", 10, spread(1000)...)
	whole, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.jsonl")
	middle := bytes.LastIndexByte(whole[:len(whole)*2/3], '\n') + 10 // of a line
	if err := os.WriteFile(cut, whole[:middle], 0o644); err != nil {
		t.Fatal(err)
	}
	got := runFake(t.Context(), &fakeTracer{}, "compare", base, cut)
	got.want(t, codeError, "its last line is cut off: --partial takes what is there")
	if got.stdout != "" {
		t.Errorf("stdout: %s", got.stdout)
	}
	got = runFake(t.Context(), &fakeTracer{}, "compare", "--partial", base, cut)
	got.want(t, codeOK, "")
	if !strings.Contains(got.stdout, "cut.jsonl: its last line is cut off") {
		t.Errorf("stdout: %s", got.stdout)
	}
}

func TestCompareForms(t *testing.T) {
	base := recordingFile(t, "base.jsonl", "6.12", 10, spread(1000)...)
	slower := recordingFile(t, "slower.jsonl", "6.12", 11, spread(1100)...)
	for form, want := range map[string]string{
		"-o table": "not the same work",
		"-o mail":  "Method\n",
		"--mail":   "Method\n",
		"-o json":  `{"schema":"verialloc/1","kind":"comparison"`,
		"-o csv -e file,prog,verdict,states": "file_name,prog_name,verdict_base,verdict_comp,verdict_diff,total_states_base,total_states_comp,total_states_diff\n" +
			"a.bpf.o,prog,success,success,MATCH,10,11,+1 (+10.00%)\n",
		"-o csv --extended --metric states": "total_states_verdict,total_states_reason\na.bpf.o,prog,10,11,+1 (+10.00%),10.00,10.00,N/A,0.00,worse,\n",
		"--different-work":                  "worse",
		"--metric all":                      "total_states",
		"--map prog=other":                  "NEW has no a.bpf.o/other",
	} {
		args := append([]string{"compare"}, strings.Fields(form)...)
		got := runFake(t.Context(), &fakeTracer{}, append(args, base, slower)...)
		got.want(t, codeOK, "")
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%s: want %q in\n%s", form, want, got.stdout)
		}
	}
}

func TestCompareUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"compare", "want BASE and NEW, there are 0 files"},
		{"compare a b c", "there are 3 files"},
		{"compare - -", "standard input can be one file alone"},
		{"compare -o yaml a b", "want table, csv, json, mail"},
		{"compare --mail -o csv a b", "--mail with -o csv"},
		{"compare --extended a b", "--extended is for -o csv"},
		{"compare -e states a b", "are for -o csv"},
		{"compare -o csv -e colour a b", "colour"},
		{"compare --fail-on duration a b", "such as duration>2%"},
		{"compare --fail-on colour>1% a b", `no metric "colour"`},
		{"compare --metric colour a b", `no metric "colour"`},
		{"compare --map x a b", "want OLD=NEW"},
		{"compare --observer-budget -1 a b", "want a number from 0 up"},
		{"compare --observer-budget NaN a b", "want a number from 0 up"},
		{"compare --alpha 0 a b", "want more than 0 and less than 1"},
		{"compare --alpha NaN a b", "want more than 0 and less than 1"},
		{"compare --seed x a b", "want a number from 0 to 9007199254740991"},
		{"compare --seed -1 a b", "want a number from 0 to 9007199254740991"},
		{"compare --seed 9007199254740992 a b", "want a number from 0 to 9007199254740991"},
	} {
		got := runFake(t.Context(), &fakeTracer{}, strings.Fields(c.args)...)
		got.want(t, codeUsage, c.want)
		if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: stdout %q, stderr %q: want one line", c.args, got.stdout, got.stderr)
		}
	}
}
