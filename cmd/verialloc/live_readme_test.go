package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// The README's way to settle an argument, with this kernel in the place of both: the
// commands work as they stand there, and find the same work and no change of what is
// counted.
func TestLiveReadmeArgument(t *testing.T) {
	requireLive(t)
	bin, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(self(t), filepath.Join(bin, "verialloc")); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(readmeBlock(t, "## Settle an argument"), "sudo ", "")
	sh := exec.CommandContext(t.Context(), "sh", "-exc", script)
	sh.Dir = dir
	sh.Env = append(os.Environ(), mainEnv+"=1", "PATH="+bin+":"+os.Getenv("PATH"))
	var stderr bytes.Buffer
	sh.Stderr = &stderr
	table, err := sh.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr.String(), table)
	}
	t.Logf("%s", table)

	for _, name := range []string{"base.jsonl", "noise.jsonl", "new.jsonl"} {
		checkRecording(t, filepath.Join(dir, name))
	}
	for line := range strings.Lines(read(t, filepath.Join(dir, "answer.txt"))) {
		if len(strings.TrimSuffix(line, "\n")) > 72 {
			t.Errorf("answer.txt has a line of more than 72 columns: %q", line)
		}
	}
	checkSameCounts(t, filepath.Join(dir, "base.jsonl"), filepath.Join(dir, "new.jsonl"))
}

// readmeBlock returns the shell block of a section of the README.
func readmeBlock(t *testing.T, heading string) string {
	t.Helper()
	_, section, found := strings.Cut(read(t, "../../README.md"), "\n"+heading)
	_, block, opened := strings.Cut(section, "\n```\n")
	block, _, closed := strings.Cut(block, "\n```\n")
	if !found || !opened || !closed {
		t.Fatalf("README.md has no block of commands under %q", heading)
	}
	return block
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkRecording checks that a recording is whole, and each of its traced samples exact.
func checkRecording(t *testing.T, name string) {
	t.Helper()
	var samples, traced uint64
	var end *record.End
	for line, err := range recording.ReadJSONL(strings.NewReader(read(t, name))) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch line := line.(type) {
		case *record.Sample:
			samples++
			if v := line.Traced; v != nil {
				traced++
				if !v.Exact || v.StateListAllocs != line.TotalStates {
					t.Errorf("%s: %s: exact %v %v, %d state lists, the verifier says %d",
						name, line.Name, v.Exact, v.Lossy, v.StateListAllocs, line.TotalStates)
				}
			}
		case *record.End:
			end = line
		}
	}
	if end == nil || end.Interrupted || end.Samples != samples || traced == 0 {
		t.Errorf("%s: %d samples, %d of them traced, end %+v", name, samples, traced, end)
	}
}

// checkSameCounts checks that compare finds no difference in what both sides count.
func checkSameCounts(t *testing.T, base, next string) {
	t.Helper()
	stdout, stderr, code := verialloc(t, "compare", "-o", "json", "--metric", "total_states,peak_states,allocs", base, next)
	if code != codeOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	var comparison struct {
		Rows []struct {
			Prog    string                             `json:"prog_name"`
			Metrics []struct{ Metric, Verdict string } `json:"metrics"`
		}
	}
	if err := json.Unmarshal([]byte(stdout), &comparison); err != nil {
		t.Fatal(err)
	}
	verdicts := 0
	for _, r := range comparison.Rows {
		for _, m := range r.Metrics {
			verdicts++
			if m.Verdict != "same" {
				t.Errorf("%s of %s: %s, want the same", m.Metric, r.Prog, m.Verdict)
			}
		}
	}
	if verdicts == 0 {
		t.Errorf("compare judged nothing:\n%s", stdout)
	}
}
