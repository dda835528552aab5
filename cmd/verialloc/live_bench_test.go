package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// benchResult is a recording, read back.
type benchResult struct {
	machine     *record.Machine
	environment *record.Environment
	programs    map[int]*record.Program
	samples     []*record.Sample
	costs       []*record.ObserverCost
	fits        []*record.Fit
	end         *record.End
}

func readBench(t *testing.T, text string) *benchResult {
	t.Helper()
	b := &benchResult{programs: map[int]*record.Program{}}
	for line, err := range recording.ReadJSONL(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		switch r := line.(type) {
		case *record.Machine:
			b.machine = r
		case *record.Environment:
			b.environment = r
		case *record.Program:
			b.programs[r.ID] = r
		case *record.Sample:
			if b.programs[r.Program] == nil {
				t.Fatalf("a sample of program %d, of which nothing was said", r.Program)
			}
			b.samples = append(b.samples, r)
		case *record.ObserverCost:
			b.costs = append(b.costs, r)
		case *record.Fit:
			b.fits = append(b.fits, r)
		case *record.End:
			b.end = r
		}
	}
	if b.machine == nil || b.end == nil {
		t.Fatalf("the recording lacks its machine or end:\n%.2000s", text)
	}
	return b
}

// verifierSays loads the stress program and returns the verifier's own numbers.
func verifierSays(t *testing.T, branches int) load.Stats {
	t.Helper()
	stats, err := load.Load(generate.Stress(branches).Spec, load.Options{})
	if err != nil || stats.Errno != 0 {
		t.Fatalf("load: %v, %v", err, stats.Errno)
	}
	return stats
}

// checkSamples compares the samples with the verifier's own numbers, and each traced
// one with the record of its load. It returns how many there are of each program and mode.
func (b *benchResult) checkSamples(t *testing.T) map[string]int {
	t.Helper()
	want := map[string]load.Stats{}
	count := map[string]int{}
	for _, s := range b.samples {
		count[fmt.Sprintf("%s %s", s.Name, s.Mode)]++
		var branches int
		if _, err := fmt.Sscanf(s.Name, "branches_%d", &branches); err != nil {
			t.Fatalf("program %s: %v", s.Name, err)
		}
		if _, ok := want[s.Name]; !ok {
			want[s.Name] = verifierSays(t, branches)
		}
		stats := want[s.Name]
		if int(s.TotalStates) != stats.TotalStates || int(s.InsnsProcessed) != stats.InsnsProcessed || int(s.PeakStates) != stats.PeakStates {
			t.Errorf("%s: %d states, %d insns, peak %d; the verifier says %d, %d, %d", s.Name, s.TotalStates, s.InsnsProcessed, s.PeakStates,
				stats.TotalStates, stats.InsnsProcessed, stats.PeakStates)
		}
		if s.Verdict != record.VerdictAccepted || s.Restarts != 0 || s.VerifierTimeNS == 0 || s.SyscallNS < s.VerifierTimeNS {
			t.Errorf("%s: %s, %d restarts, %d ns in the verifier of %d in all", s.Name, s.Verdict, s.Restarts, s.VerifierTimeNS, s.SyscallNS)
		}
		if s.Mode == record.ModeBare {
			if s.Traced != nil || s.Counters["task_clock_ns"].Value == 0 && s.Counters["task_clock_ns"].Absent == "" {
				t.Errorf("%s: bare, with record %v and counters %v", s.Name, s.Traced, s.Counters)
			}
			continue
		}
		v := s.Traced
		if v == nil || len(s.Counters) > 0 {
			t.Fatalf("%s: traced, with record %v and counters %v", s.Name, v, s.Counters)
		}
		if int(v.InsnCount) != b.programs[s.Program].InsnCount || v.StateListAllocs != s.TotalStates || !v.Exact {
			t.Errorf("%s: record of %d instructions, %d state lists, exact %t, %v; want %d instructions, %d state lists", s.Name,
				v.InsnCount, v.StateListAllocs, v.Exact, v.Lossy, b.programs[s.Program].InsnCount, s.TotalStates)
		}
	}
	return count
}

// allowedCPUs lists the CPUs that this process may use, as the kernel does: a container
// may lack CPU 0.
func allowedCPUs(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(status), "Cpus_allowed_list:\t")
	list, _, _ := strings.Cut(rest, "\n")
	if !found {
		t.Fatal("/proc/self/status has no Cpus_allowed_list")
	}
	return list
}

func TestLiveBench(t *testing.T) {
	stdout, stderr, code := verialloc(t, "bench", "-o", "jsonl", "--stress", "branches=50,100,200",
		"--repeat", "3", "--warmup", "1", "--traced", "2", "--seed", "5", "--cpu", allowedCPUs(t))
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	b := readBench(t, stdout)
	for key, n := range b.checkSamples(t) {
		if want := map[bool]int{true: 2, false: 3}[strings.HasSuffix(key, "traced")]; n != want {
			t.Errorf("%s: %d samples, want %d", key, n, want)
		}
	}
	if len(b.samples) != 15 || b.end.Samples != 15 || b.end.Interrupted || b.end.TracedAbsent != "" {
		t.Errorf("%d samples, end %+v", len(b.samples), b.end)
	}
	if b.environment == nil || b.machine.Kernel != b.environment.Kernel || b.machine.Seed != 5 {
		t.Errorf("machine %+v, environment %+v", b.machine, b.environment)
	}
	if len(b.costs) != 3 || len(b.fits) != 2 {
		t.Errorf("%d costs of the observer, want 3; %d fits, want 2", len(b.costs), len(b.fits))
	}
	for _, fit := range b.fits {
		// One allocation more for each branch, besides those for the whole program.
		if fit.Metric == "allocs" && (fit.Exponent < 0.8 || fit.Exponent > 1.1) {
			t.Errorf("allocations grow with the size to the power of %v", fit.Exponent)
		}
	}
	t.Logf("kernel %s: %d samples; absent: %v", b.machine.Kernel, len(b.samples), b.machine.Absent)
}

// With loaders at once exactly the loads asked for are counted, and each record is of
// its own load.
func TestLiveBenchConcurrent(t *testing.T) {
	stdout, stderr, code := verialloc(t, "bench", "-o", "jsonl", "--stress", "branches=60,120",
		"--repeat", "6", "--traced", "4", "--parallel", "4")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	b := readBench(t, stdout)
	for key, n := range b.checkSamples(t) {
		if want := map[bool]int{true: 4, false: 6}[strings.HasSuffix(key, "traced")]; n != want {
			t.Errorf("%s: %d samples, want %d", key, n, want)
		}
	}
	loaders := map[int]bool{}
	for _, s := range b.samples {
		loaders[s.Loader] = true
	}
	if len(b.samples) != 20 || len(loaders) < 2 {
		t.Errorf("%d samples by loaders %v", len(b.samples), loaders)
	}
}

func TestLiveBenchTable(t *testing.T) {
	stdout, stderr, code := verialloc(t, "bench", "-o", "csv", "-e", "prog,verdict,insns,states,peak_states", "--stress", "branches=100")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	stats := verifierSays(t, 100)
	want := fmt.Sprintf("prog_name,verdict,total_insns,total_states,peak_states\nbranches_100,success,%d,%d,%d\n",
		stats.InsnsProcessed, stats.TotalStates, stats.PeakStates)
	if stdout != want {
		t.Errorf("stdout:\n%swant:\n%s", stdout, want)
	}
	stdout, stderr, code = verialloc(t, "bench", "--extended", "--repeat", "2", "--traced", "1", "--stress", "branches=100")
	if code != 0 || !strings.Contains(stdout, "  1/1\n") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}

// A signal ends a bench, and the samples taken before are there.
func TestLiveBenchInterrupted(t *testing.T) {
	requireLive(t)
	cmd := exec.CommandContext(t.Context(), self(t), "bench", "-o", "jsonl", "--repeat", "1000000", "--stress", "branches=50")
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	samples := uint64(0)
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var head record.Head
		if err := json.Unmarshal(scanner.Bytes(), &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind == record.KindSample {
			if samples++; samples == 3 {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
			}
		}
		text.WriteString(scanner.Text() + "\n")
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != signalBase+2 {
		t.Errorf("exit code %d:\n%s", code, stderr.String())
	}
	b := readBench(t, text.String())
	if b.end.Samples != samples || !b.end.Interrupted || samples < 3 {
		t.Errorf("%d samples, end %+v", samples, b.end)
	}
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		left, err := filepath.Glob(fmt.Sprintf("%s/verialloc-%d-*", mount, cmd.Process.Pid))
		if err != nil || len(left) > 0 {
			t.Errorf("control groups are left behind: %v, error %v", left, err)
		}
	}
}
