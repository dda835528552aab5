package compare

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// program is a program of a made-up recording.
type program struct {
	file, name string
	ns         func(*rand.Rand) float64 // of a verification
	insns      uint64
	states     uint64
	failure    string
	observer   float64 // factor of traced loads
	rejected   bool
	untimed    uint64 // of its func_states
}

// fake makes a recording as bench writes it: loads of programs, bare and traced.
type fake struct {
	seed         uint64
	kernel       string
	build        string
	bare, traced int
	factor       float64 // of all times
	programs     []program
}

func machine(kernel, build string) *record.Machine {
	return &record.Machine{
		Head: record.NewHead(record.KindMachine), TimeUnixNS: 1767225600e9, Version: "v0.4.0",
		CommandLine: []string{"verialloc", "bench", "prog.bpf.o"},
		Kernel:      kernel, Build: build, Architecture: "x86_64", CPUs: 2, CPUModel: "QEMU TCG", Preemption: "voluntary",
		System: record.System{
			KernelCommandLine: "console=ttyS0", KernelBuildID: "4a5a9b0a", ConfigSHA256: "cd69f98a", ClockSource: "tsc",
			Hypervisor: "TCG", ICount: "off", BootID: "9fe86349",
		},
		Config:      map[string]string{"CONFIG_MEMCG": "y", "CONFIG_SLAB_FREELIST_HARDENED": "n"},
		BootOptions: []string{}, Mitigations: map[string]string{"spectre_v2": "Not affected"},
		SlabMerging: new(true), PageBytes: 4096,
		SlabCaches: []record.SlabCache{
			{Name: "kmalloc-192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21},
			{Name: "kmalloc-cg-192", ID: ":A-0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21},
			{Name: "file_lock_cache", ID: ":0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: []string{"file_lock_cache", "inet_peer_cache"}},
			{Name: "kmalloc-cg-2k", ID: ":A-0002048", ObjectBytes: 2048, SlotBytes: 2048, ObjectsPerSlab: 16, Order: 3},
		},
		Absent: map[string]string{"cpu_governor": "the kernel has no cpufreq"}, Nonexistent: []string{"cpu_governor"},
		Seed: 7, Repeat: 40, Warmup: 2, Parallel: 1, CPUList: []int{1},
	}
}

func (f fake) lines() []any {
	m := machine(f.kernel, f.build)
	m.Repeat = f.bare
	lines := []any{m}
	if f.traced > 0 {
		lines = append(lines, &record.Environment{
			Head: record.NewHead(record.KindEnvironment), Kernel: f.kernel, ProbeFloorNS: 100, ProbeFloor: "fentry",
			TypeBytes: map[string]uint64{"bpf_verifier_state_list": 192, "bpf_func_state": 1368},
		})
	}
	for i, p := range f.programs {
		lines = append(lines, &record.Program{
			Head: record.NewHead(record.KindProgram), ID: i, File: p.file, Path: "/tmp/" + p.file, Name: p.name,
			SHA256: "0badc0de", Type: "socket_filter", InsnCount: 100, Failure: p.failure,
		})
	}
	random := rand.New(rand.NewPCG(f.seed, 0))
	samples := uint64(0)
	for round := range f.bare + f.traced {
		for i, p := range f.programs {
			if p.failure != "" {
				continue
			}
			mode := record.ModeBare
			if round >= f.bare {
				mode = record.ModeTraced
			}
			lines = append(lines, f.sample(random, i, p, round, mode))
			samples++
		}
	}
	return append(lines, &record.End{Head: record.NewHead(record.KindEnd), Samples: samples})
}

func (f fake) sample(random *rand.Rand, id int, p program, round int, mode record.SampleMode) *record.Sample {
	ns := f.factor * p.ns(random)
	if mode == record.ModeTraced {
		ns *= p.observer
	}
	us := uint64(math.Round(ns / 1000))
	s := &record.Sample{
		Head: record.NewHead(record.KindSample), Program: id, File: p.file, Name: p.name, Mode: mode, Round: round,
		Verdict: record.VerdictAccepted, ProgSize: 120, ProgSizeJited: 600,
		VerifierStats: record.VerifierStats{
			VerifierTimeNS: us * 1000, SyscallNS: us*1000 + 70_000 + uint64(random.IntN(4000)),
			InsnsProcessed: p.insns, TotalStates: p.states, PeakStates: p.states, MaxStatesPerInsn: 4,
		},
	}
	if p.rejected {
		s.Verdict, s.Errno, s.ProgSize, s.ProgSizeJited = record.VerdictRejected, 22, 0, 0
	}
	if mode == record.ModeBare {
		s.Counters = map[string]record.Counter{
			// It runs from before the system call to after it.
			"task_clock_ns":     {Value: us*1000 + 75_000 + uint64(random.IntN(3000))},
			"cycles":            {Absent: "this CPU has no such counter"},
			"memory_peak_bytes": {Value: 4096 * (100 + p.states + uint64(random.IntN(3)))},
		}
		return s
	}
	lists, funcs := p.states, 2*p.states
	group := func(name, cache string, count, size, slot, ns uint64) record.Group {
		return record.Group{
			Name: name, Allocs: count, BytesRequested: count * size, BytesAllocated: count * slot, AllocTimeNS: count * ns,
			Latency: record.Histogram{Count: count, SumNS: count * ns, UpperBoundsNS: []uint64{ns}, Counts: []uint64{count}},
			Shares:  []record.Share{{Cache: cache, Allocs: count, BytesRequested: count * size, BytesAllocated: count * slot}},
		}
	}
	types := []record.Group{
		group("func_state", "kmalloc-cg-2k", funcs, 1368, 2048, 900),
		group("state_list", "kmalloc-cg-192", lists, 192, 192, 400),
		{Name: "insn_aux", Allocs: 1, BytesRequested: 8000, BytesAllocated: 8192, Shares: []record.Share{{Cache: "vmalloc", Allocs: 1, BytesRequested: 8000, BytesAllocated: 8192}}},
	}
	types[0].Latency.Count -= p.untimed
	types[0].AllocTimeNS -= 900 * p.untimed
	if own := uint64(random.IntN(4)); p.name == "alike" && own > 0 {
		// Slab makes vectors for new slabs whenever it needs new slabs.
		types = append(types, record.Group{Name: "alloc_slab_obj_exts", Allocs: own, BytesRequested: 168 * own, BytesAllocated: 192 * own, PeakLiveBytes: 192 * own})
	}
	v := &record.Verification{Head: record.NewHead(record.KindVerification), Exact: true, Types: types}
	for i := range types {
		v.Allocs += types[i].Allocs
		v.BytesRequested += types[i].BytesRequested
		v.BytesAllocated += types[i].BytesAllocated
		v.AllocTimeNS += types[i].AllocTimeNS
		v.Latency.Count += types[i].Latency.Count
	}
	v.AllocTimeNS += uint64(random.IntN(2000))
	v.PeakLiveBytes = v.BytesAllocated
	v.LatencyCoverage = float64(v.Latency.Count) / float64(v.Allocs)
	s.Traced = v
	return s
}

// encoded returns lines as a file holds them.
func encoded(t testing.TB, lines []any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func (f fake) read(t testing.TB, name string) *Input {
	t.Helper()
	in, err := Read(name, bytes.NewReader(encoded(t, f.lines())), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func lognormal(median, spread float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return median * math.Exp(spread*r.NormFloat64()) }
}

// sides returns recordings of two kernels with a row of every kind.
func sides() (base, comp fake) {
	both := func(change func(i int, p *program)) []program {
		programs := []program{
			{file: "flow.bpf.o", name: "faster", ns: lognormal(2.4e6, 0.02), insns: 1461, states: 68},
			{file: "flow.bpf.o", name: "alike", ns: lognormal(700e3, 0.02), insns: 416, states: 21},
			{file: "flow.bpf.o", name: "bimodal", ns: noises[0].draw, insns: 9000, states: 700},
			{file: "flow.bpf.o", name: "rewritten", ns: lognormal(900e3, 0.02), insns: 500, states: 30},
			{file: "loop.bpf.o", name: "watched", ns: lognormal(300e3, 0.03), insns: 60, states: 7},
			{file: "loop.bpf.o", name: "refused", ns: lognormal(64e3, 0.03), insns: 20, states: 2, rejected: true},
			{file: "loop.bpf.o", name: "unloadable", ns: lognormal(64e3, 0.03), insns: 20, states: 2},
			{file: "loop.bpf.o", name: "old_name", ns: lognormal(200e3, 0.01), insns: 22, states: 3},
		}
		for i := range programs {
			programs[i].observer = 1.15
			change(i, &programs[i])
		}
		return programs
	}
	base = fake{seed: 1, kernel: "6.12.118", build: "#1 SMP", bare: 40, traced: 6, factor: 1, programs: both(func(i int, p *program) {
		if p.name == "watched" {
			p.observer = 1.6
		}
	})}
	comp = fake{seed: 2, kernel: "6.12.118-cache", build: "#2 SMP", bare: 40, traced: 6, factor: 1, programs: both(func(i int, p *program) {
		switch p.name {
		case "faster":
			p.ns = lognormal(2.2e6, 0.02)
		case "rewritten":
			p.insns, p.states = 450, 28
		case "watched":
			p.observer = 1.7
		case "unloadable":
			p.failure = "create the maps: operation not supported"
		case "old_name":
			p.name = "new_name"
		}
	})}
	base.programs = append(base.programs, program{file: "old.bpf.o", name: "gone", ns: lognormal(50e3, 0.01), insns: 5, states: 1, observer: 1})
	return base, comp
}
