package benchfmt

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
)

func sampleMachine() *record.Machine {
	return &record.Machine{
		Version: "v0.1", CommandLine: []string{"verialloc", "bench", "a.bpf.o"}, Kernel: "6.12.117", Build: "#1 SMP\x1b",
		Architecture: "x86_64", CPUs: 2, CPUModel: "Some CPU @ 2.10GHz", Preemption: "voluntary", Parallel: 1,
		System:      record.System{KernelCommandLine: "quiet arm=C\x1b", KernelBuildID: "d01f77c7", Hypervisor: "TCG", ICount: "shift=0"},
		BootOptions: []string{"slab_nomerge"}, // the command line says more
	}
}

// samplePrograms are an ordinary program, one whose names need escapes, and two that
// share their names.
func samplePrograms() []record.Program {
	return []record.Program{
		{ID: 0, File: "bpf_flow.bpf.o", Path: "/tmp/bpf_flow.bpf.o", Name: "_dissect"},
		{ID: 1, File: "with space-2.o", Path: "with space-2.o", Name: "50%/é-3"},
		{ID: 2, File: "same.o", Path: "old/same.o", Name: "p"},
		{ID: 3, File: "same.o", Path: "new/same.o", Name: "p"},
	}
}

// sampleLoads are rounds of loads of those programs; a larger scale is slower.
func sampleLoads(rounds int, scale uint64) []record.Sample {
	var samples []record.Sample
	for round := range uint64(rounds) {
		for _, p := range samplePrograms() {
			samples = append(samples, record.Sample{
				Program: p.ID, File: p.File, Name: p.Name, Mode: record.ModeBare, Round: int(round), Verdict: record.VerdictAccepted,
				VerifierStats: record.VerifierStats{
					VerifierTimeNS: 1000 * scale * (400 + 13*(round*7%11) + 1000*uint64(p.ID)), SyscallNS: 1234567 + round*1111,
					InsnsProcessed: 211 + uint64(p.ID), TotalStates: 13, PeakStates: 12,
				},
				Counters: map[string]record.Counter{
					"task_clock_ns": {Value: 987654 + round}, "user_faults": {}, "kernel_faults": {Value: 40 + round%3},
					"cycles": {Absent: "no PMU"}, "memory_peak_bytes": {Value: 1<<20 + 4096*round},
				},
			})
		}
	}
	return samples
}

func TestBenchfmt(t *testing.T) {
	samples := sampleLoads(2, 1)
	rejected := samples[0]
	rejected.Verdict = record.VerdictRejected
	traced := rejected
	traced.Verdict, traced.Mode, traced.Counters = record.VerdictAccepted, record.ModeTraced, nil
	traced.Traced = &record.Verification{
		Allocs: 120, BytesRequested: 9000, BytesAllocated: 12000, PeakLiveBytes: 8000, AllocTimeNS: 30000, LatencyCoverage: 1, Exact: true,
	}
	lossy := traced
	lossy.Traced = &record.Verification{Allocs: 119, AllocTimeNS: 300, LatencyCoverage: 0.9}
	sample.Golden(t, "benchfmt.txt", func(b *bytes.Buffer) error {
		return Write(b, sampleMachine(), samplePrograms(), append(samples, rejected, traced, lossy))
	})
}

// The medians that benchstat finds on both sides must be those of the samples.
func TestBenchfmtBenchstat(t *testing.T) {
	dir := t.TempDir()
	base, comp := sampleLoads(9, 1), sampleLoads(11, 2)
	machine := sampleMachine()
	write := func(name, kernel string, samples []record.Sample) string {
		var b bytes.Buffer
		machine.Kernel = kernel
		if err := Write(&b, machine, samplePrograms(), samples); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	command := exec.Command("go", "tool", "benchstat", "-format", "csv", write("base.txt", "6.12", base), write("comp.txt", "7.3", comp))
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	if strings.Contains(complaints.String(), ".txt:") {
		t.Errorf("benchstat cannot read it all:\n%s", complaints.String())
	}
	tables := readBenchstat(t, out)
	for unit, of := range map[string]func(*record.Sample) float64{
		"sec/op":            func(s *record.Sample) float64 { return float64(s.VerifierTimeNS) / 1e9 },
		"syscall-sec/op":    func(s *record.Sample) float64 { return float64(s.SyscallNS) / 1e9 },
		"task-clock-sec/op": func(s *record.Sample) float64 { return float64(s.Counters["task_clock_ns"].Value) / 1e9 },
		"insns/op":          func(s *record.Sample) float64 { return float64(s.InsnsProcessed) },
		"states/op":         func(s *record.Sample) float64 { return float64(s.TotalStates) },
		"peak-states/op":    func(s *record.Sample) float64 { return float64(s.PeakStates) },
		"user-faults/op":    func(s *record.Sample) float64 { return float64(s.Counters["user_faults"].Value) },
		"kernel-faults/op":  func(s *record.Sample) float64 { return float64(s.Counters["kernel_faults"].Value) },
		"memory-peak-B/op":  func(s *record.Sample) float64 { return float64(s.Counters["memory_peak_bytes"].Value) },
	} {
		rows := tables[unit]
		if len(rows) != len(samplePrograms()) {
			t.Errorf("%s: %d rows of %d programs", unit, len(rows), len(samplePrograms()))
		}
		for id, name := range []string{
			"Verify/file=bpf_flow.bpf.o/prog=_dissect-1",
			"Verify/file=with%20space-2.o/prog=50%25%2F%C3%A9-3-1",
			"Verify/file=same.o/path=old%2Fsame.o/prog=p-1",
			"Verify/file=same.o/path=new%2Fsame.o/prog=p-1",
		} {
			want := [2]float64{medianOf(base, id, of), medianOf(comp, id, of)}
			if got, ok := rows[name]; !ok || math.Abs(got[0]-want[0]) > 1e-12*want[0] || math.Abs(got[1]-want[1]) > 1e-12*want[1] {
				t.Errorf("%s, %s: benchstat has %v, want %v", unit, name, got, want)
			}
		}
		delete(tables, unit)
	}
	if len(tables) > 0 {
		t.Errorf("more tables than units: %v", tables)
	}
}

// medianOf returns the median of an odd number of samples of a program.
func medianOf(samples []record.Sample, program int, of func(*record.Sample) float64) float64 {
	var values []float64
	for i := range samples {
		if samples[i].Program == program {
			values = append(values, of(&samples[i]))
		}
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// readBenchstat returns both medians of each row of benchstat's CSV, by unit and name.
func readBenchstat(t *testing.T, out []byte) map[string]map[string][2]float64 {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(out))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tables := make(map[string]map[string][2]float64)
	unit := ""
	for _, r := range records {
		switch {
		case len(r) < 4:
		case r[0] == "" && strings.Contains(r[1], "/op"):
			unit = r[1]
			if tables[unit] != nil {
				t.Errorf("two tables of %s: the sides are apart", unit)
			}
			tables[unit] = make(map[string][2]float64)
		case strings.HasPrefix(r[0], "Verify"):
			var medians [2]float64
			for i, field := range []string{r[1], r[3]} {
				if medians[i], err = strconv.ParseFloat(field, 64); err != nil {
					t.Fatalf("%v: %v", r, err)
				}
			}
			tables[unit][r[0]] = medians
		}
	}
	return tables
}

// The file is for people as well: what anyone may choose is escaped in it.
func TestHostile(t *testing.T) {
	programs, samples := samplePrograms(), sampleLoads(1, 1)
	sample.Poison(&programs)
	sample.Poison(&samples)
	for i := range samples {
		samples[i].Mode = record.ModeBare
	}
	var b bytes.Buffer
	if err := Write(&b, sample.Poison(sampleMachine()), programs, samples); err != nil {
		t.Fatal(err)
	}
	sample.Shown(t, "benchfmt", b.String())
	if !strings.Contains(b.String(), `evil\x1b[2J`) || !strings.Contains(b.String(), "evil%1B") {
		t.Errorf("nothing was escaped:\n%s", b.String())
	}
}

// Whatever the names are, the format's own reader must see each sample whole.
func FuzzBenchfmt(f *testing.F) {
	f.Add("a b\t/c", "d\n%", "Unit x y=z\nBenchmarkX 1 2 ns/op", "cpu: x\r")
	f.Add("\xff", "", "\u2028", "\x00")
	f.Fuzz(func(t *testing.T, file, prog, kernel, cpu string) {
		machine := &record.Machine{Kernel: kernel, CPUModel: cpu}
		sample := record.Sample{File: file, Name: prog, Mode: record.ModeBare, Verdict: record.VerdictAccepted}
		sample.VerifierTimeNS, sample.InsnsProcessed = 1000, 7
		var b bytes.Buffer
		if err := Write(&b, machine, nil, []record.Sample{sample, sample}); err != nil {
			t.Fatal(err)
		}
		reader, results := benchfmt.NewReader(&b, "fuzz"), 0
		for reader.Scan() {
			switch r := reader.Result().(type) {
			case *benchfmt.Result:
				results++
				_, parts := r.Name.Parts()
				if len(parts) != 3 || len(r.Values) != 5 || r.Values[0].OrigValue != 1000 || r.Values[0].Unit != "sec/op" {
					t.Fatalf("%q, %d parts, %+v", r.Name, len(parts), r.Values)
				}
			case *benchfmt.SyntaxError:
				t.Fatal(r)
			}
		}
		if err := reader.Err(); err != nil || results != 2 {
			t.Fatalf("%d results, %v", results, err)
		}
	})
}
