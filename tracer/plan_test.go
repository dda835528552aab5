package tracer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// typesOf builds kernel BTF of functions, tracepoints and other types.
func typesOf(t testing.TB, functions, tracepoints []string, others ...btf.Type) *kernel.Types {
	t.Helper()
	types := others
	for _, name := range functions {
		types = append(types, &btf.Func{Name: name, Type: &btf.FuncProto{Return: (*btf.Void)(nil)}})
	}
	for _, name := range tracepoints {
		types = append(types, &btf.Typedef{Name: "btf_trace_" + name, Type: &btf.Int{Name: "int", Size: 4}})
	}
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := b.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return kernel.TypesOf(spec)
}

// symbolsOf makes up symbols of functions.
func symbolsOf(t testing.TB, functions ...string) *kernel.Symbols {
	t.Helper()
	var b strings.Builder
	for i, name := range functions {
		fmt.Fprintf(&b, "%x T %s\n", 0x1000*(i+1), name)
	}
	symbols, err := kernel.ParseSymbols(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return symbols
}

var kmem = []string{"kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free"}

// bpfProg is what the plan looks for in struct bpf_prog.
var bpfProg = &btf.Struct{Name: "bpf_prog", Size: 8, Members: []btf.Member{{Name: "active", Type: &btf.Pointer{Target: (*btf.Void)(nil)}}}}

// kernelOf makes up a kernel that has these functions, in symbols and in BTF.
func kernelOf(t testing.TB, functions []string, tracepoints ...string) *runningKernel {
	return &runningKernel{
		release: kernel.Release{Name: "9.9.9-test"}, kprobes: kernel.Known(uint32(6)),
		types:   typesOf(t, functions, append(tracepoints, kmem...), bpfProg),
		symbols: symbolsOf(t, functions...),
	}
}

// The functions of two kernels that hooks are put on.
var (
	functions6_1 = []string{
		"bpf_check", "do_check_common", "__vmalloc_node_range", "vfree",
		"kmalloc_trace", "kmalloc_node_trace", "__kmalloc", "__kmalloc_node", "__kmalloc_node_track_caller",
		"kmalloc_large", "kmalloc_large_node", "kvmalloc_node",
		"kmem_cache_alloc", "kmem_cache_alloc_lru", "kmem_cache_alloc_node", "___slab_alloc", "allocate_slab",
	}
	functions7_3 = []string{
		"bpf_check", "do_check_common", "bpf_is_state_visited", "__vmalloc_node_range_noprof", "vfree",
		"__kmalloc_cache_noprof", "__kmalloc_cache_node_noprof", "__kmalloc_noprof", "__kmalloc_node_noprof",
		"__kmalloc_node_track_caller_noprof",
		"__kmalloc_large_noprof", "__kvmalloc_node_noprof",
		"kmem_cache_alloc_noprof", "kmem_cache_alloc_lru_noprof", "kmem_cache_alloc_node_noprof",
		"___slab_alloc", "__slab_alloc.isra.0", "__pcs_replace_empty_main", "allocate_slab",
	}
	vmapTracepoints = []string{"alloc_vmap_area", "free_vmap_area_noflush"}
)

func hookNamed(t *testing.T, hooks []hook, name string) hook {
	t.Helper()
	i := slices.IndexFunc(hooks, func(h hook) bool { return h.name == name })
	if i < 0 {
		t.Fatalf("no hook %q", name)
	}
	return hooks[i]
}

// shorthand writes choices as means:program@target, probes joined by +.
func shorthand(h hook) string {
	var choices []string
	for _, c := range h.choices {
		var probes []string
		for _, p := range c.probes {
			target := p.target
			if p.group != "" {
				target = p.group + "/" + target
			}
			probes = append(probes, fmt.Sprintf("%s:%s@%s", p.means, p.program, target))
		}
		choices = append(choices, strings.Join(probes, "+"))
	}
	return strings.Join(choices, " ")
}

func wantChoices(t *testing.T, hooks []hook, name, want string) {
	t.Helper()
	if got := shorthand(hookNamed(t, hooks, name)); got != want {
		t.Errorf("%s is seen by\n %q, want\n %q", name, got, want)
	}
}

// The cheap way is the exact one up to 6.19. After that the classic tracepoint is, as
// long as the kernel shows when it skips the tracepoint's programs.
func TestPlanLedger(t *testing.T) {
	const (
		raw     = "raw_tracepoint:raw_kfree@kfree"
		classic = "tracepoint:tp_kfree@kmem/kfree"
	)
	for _, c := range []struct {
		preemptible, told           bool
		want                        string
		firstInexact, secondInexact bool
	}{
		{false, true, raw + " " + classic, false, false},
		{false, false, raw + " " + classic, false, true},
		{true, true, classic + " " + raw, false, true},
		{true, false, classic + " " + raw, true, true},
	} {
		k := kernelOf(t, functions6_1)
		k.preemptibleRawTP = c.preemptible
		if c.told {
			k.progActive = kernel.Known(btf.TypeID(1))
		}
		hooks := k.plan(&Config{})
		wantChoices(t, hooks, "kfree", c.want)
		for _, name := range kmem {
			h := hookNamed(t, hooks, name)
			if !h.required || h.kind != record.HookLedger {
				t.Errorf("%s is of kind %s, required: %v", name, h.kind, h.required)
			}
			if first, second := h.choices[0], h.choices[1]; first.inexact != c.firstInexact || second.inexact != c.secondInexact {
				t.Errorf("%+v: %s is inexact: %v, %v", c, name, first.inexact, second.inexact)
			}
			for _, choice := range h.choices {
				if classic := slices.Equal(choice.means(), []record.Means{record.MeansTracepoint}); choice.skippable != (classic && c.told) {
					t.Errorf("%+v: %s by %s is skippable: %v", c, name, choice.means(), choice.skippable)
				}
			}
		}
	}
	k := kernelOf(t, nil)
	k.types = typesOf(t, nil, []string{"kmalloc"})
	if h := hookNamed(t, k.plan(&Config{}), "kfree"); len(h.choices) != 0 || h.lack == "" {
		t.Errorf("without its tracepoint kfree has %d choices and lacks %q", len(h.choices), h.lack)
	}
}

// From 7.0 raw programs stand in for the ledger's classic ones, if the kernel shows when it
// skips either.
func TestPlanStandIns(t *testing.T) {
	planned := func(preemptible, told, offsets bool) []hook {
		k := kernelOf(t, functions7_3, vmapTracepoints...)
		k.preemptibleRawTP = preemptible
		if told {
			k.progActive = kernel.Known(btf.TypeID(1))
		}
		if offsets {
			k.perCPUOffsets = kernel.Known(uint64(0xffffffff81000000))
		}
		return k.plan(&Config{})
	}
	const (
		name   = "ledger, raw"
		ledger = "raw_tracepoint:raw_kmalloc$@kmalloc+raw_tracepoint:raw_kmem_cache_alloc$@kmem_cache_alloc" +
			"+raw_tracepoint:raw_kfree$@kfree+raw_tracepoint:raw_kmem_cache_free$@kmem_cache_free" +
			"+raw_tracepoint:raw_alloc_vmap_area$@alloc_vmap_area+raw_tracepoint:raw_free_vmap_area_noflush$@free_vmap_area_noflush"
		vmalloc = "+fexit:fexit_vmalloc$@__vmalloc_node_range_noprof+fentry:fentry_vmalloc$@__vmalloc_node_range_noprof"
	)
	hooks := planned(true, true, true)
	twice := func(programs string) string {
		return strings.ReplaceAll(programs, "$", "") + "+" + strings.ReplaceAll(programs, "$", "_again")
	}
	wantChoices(t, hooks, name, twice(ledger+vmalloc)+" "+twice(ledger))
	h := hookNamed(t, hooks, name)
	if first, second := h.choices[0].unless, h.choices[1].unless; first != "" || second != record.HookVmEntry {
		t.Errorf("choices are for where no hook is attached of kind %q, %q", first, second)
	}
	if c := h.choices[0]; h.required || h.kind != record.HookStandIn || !c.standsIn || c.inexact || c.skippable {
		t.Errorf("got %+v", h)
	}
	// A program passes over what one that is attached before it has reported.
	last := slices.IndexFunc(hooks, func(h hook) bool { return h.name == name })
	for _, before := range append([]string{"vmalloc", "vfree", "vmalloc entry", "vmalloc return"}, kmem...) {
		if i := slices.IndexFunc(hooks, func(h hook) bool { return h.name == before }); i > last {
			t.Errorf("%s is attached after its stand-in", before)
		}
	}

	if h := hookNamed(t, planned(true, true, false), name); len(h.choices) != 0 || !strings.Contains(h.lack, "blind_slices") {
		t.Errorf("got %+v, want no choice, and what comes of that", h)
	}
	for _, hooks := range [][]hook{planned(false, true, true), planned(true, false, true)} {
		if slices.ContainsFunc(hooks, func(h hook) bool { return h.name == name }) {
			t.Error("stand-ins are planned where no program needs one")
		}
	}
}

func TestPlanLoad(t *testing.T) {
	k := kernelOf(t, functions6_1)
	hooks := k.plan(&Config{})
	wantChoices(t, hooks, "load entry",
		"tracepoint:tp_sys_enter_bpf@syscalls/sys_enter_bpf raw_tracepoint:raw_sys_enter@sys_enter")
	wantChoices(t, hooks, "load return",
		"tracepoint:tp_sys_exit_bpf@syscalls/sys_exit_bpf raw_tracepoint:raw_sys_exit@sys_exit")
	wantChoices(t, hooks, "verification start", "kprobe:kprobe_bpf_check@bpf_check+fentry:fentry_bpf_check@bpf_check "+
		"kprobe:kprobe_bpf_check@bpf_check fentry:fentry_bpf_check@bpf_check")
	// A load that is seen to enter must be seen to return.
	index := func(name string) int { return slices.IndexFunc(hooks, func(h hook) bool { return h.name == name }) }
	if index("load return") > index("load entry") {
		t.Error("the entry is attached before the return")
	}
	if !hooks[index("load return")].required || !hooks[index("load entry")].required || hooks[index("verification start")].required {
		t.Error("entry and return are required, bpf_check is not")
	}

	k.preemptibleSyscalls = true
	hooks = k.plan(&Config{})
	wantChoices(t, hooks, "load entry", "tracepoint:tp_sys_enter_bpf@syscalls/sys_enter_bpf+"+
		"tracepoint:tp_sys_enter_bpf_again@syscalls/sys_enter_bpf raw_tracepoint:raw_sys_enter@sys_enter")
	wantChoices(t, hooks, "load return", "tracepoint:tp_sys_exit_bpf@syscalls/sys_exit_bpf+"+
		"tracepoint:tp_sys_exit_bpf_again@syscalls/sys_exit_bpf+tracepoint:tp_sys_exit_bpf_wake@syscalls/sys_exit_bpf "+
		"raw_tracepoint:raw_sys_exit@sys_exit")

	if h := hookNamed(t, kernelOf(t, nil).plan(&Config{}), "verification start"); len(h.choices) != 0 || h.lack == "" {
		t.Errorf("without bpf_check: %+v", h)
	}
}

func TestPlanVmalloc(t *testing.T) {
	t.Run("from 6.2", func(t *testing.T) {
		hooks := kernelOf(t, functions7_3, vmapTracepoints...).plan(&Config{})
		wantChoices(t, hooks, "vmalloc",
			"raw_tracepoint:raw_alloc_vmap_area@alloc_vmap_area tracepoint:tp_alloc_vmap_area@vmalloc/alloc_vmap_area")
		wantChoices(t, hooks, "vfree", "raw_tracepoint:raw_free_vmap_area_noflush@free_vmap_area_noflush "+
			"tracepoint:tp_free_vmap_area_noflush@vmalloc/free_vmap_area_noflush")
		wantChoices(t, hooks, "vmalloc entry", "kprobe:kprobe_vmalloc@__vmalloc_node_range_noprof")
	})
	t.Run("6.1", func(t *testing.T) {
		hooks := kernelOf(t, functions6_1).plan(&Config{})
		wantChoices(t, hooks, "vmalloc",
			"kprobe:kprobe_vmalloc@__vmalloc_node_range+kretprobe:kretprobe_vmalloc@__vmalloc_node_range")
		wantChoices(t, hooks, "vfree", "kprobe:kprobe_vfree@vfree")
		if slices.ContainsFunc(hooks, func(h hook) bool { return h.name == "vmalloc entry" }) {
			t.Error("the entry is probed twice")
		}
	})
	t.Run("neither", func(t *testing.T) {
		hooks := kernelOf(t, nil).plan(&Config{})
		for _, name := range []string{"vmalloc", "vfree"} {
			if h := hookNamed(t, hooks, name); len(h.choices) != 0 || h.lack == "" || h.required {
				t.Errorf("%s: %+v", name, h)
			}
		}
	})
}

func TestPlanVisits(t *testing.T) {
	hooks := kernelOf(t, functions7_3).plan(&Config{})
	wantChoices(t, hooks, "visits",
		"fentry:fentry_visit@bpf_is_state_visited+fexit:fexit_visit@bpf_is_state_visited "+
			"kprobe:kprobe_visit@bpf_is_state_visited+kretprobe:kretprobe_visit@bpf_is_state_visited")
	h := hookNamed(t, kernelOf(t, functions6_1).plan(&Config{}), "visits")
	if len(h.choices) != 0 || h.lack == "" || h.callSites != "do_check_common" || h.required {
		t.Errorf("where it is inlined: %+v", h)
	}
	h = hookNamed(t, kernelOf(t, functions7_3).plan(&Config{Latency: LatencyOff}), "visits")
	if len(h.choices) != 0 || h.lack == "" || h.callSites != "bpf_is_state_visited" {
		t.Errorf("where latency is off: %+v", h)
	}
}

func TestPlanReason(t *testing.T) {
	k := kernelOf(t, append([]string{"verbose", "bpf_verifier_log_write", "bpf_log"}, functions7_3...))
	if h := hookNamed(t, k.plan(&Config{}), "log calls"); len(h.choices) != 0 || !strings.Contains(h.lack, "bpf_prog_active") || h.required {
		t.Errorf("where skipped calls do not show: %+v", h)
	}
	k.progActive = kernel.Known(btf.TypeID(1))
	wantChoices(t, k.plan(&Config{}), "log calls",
		"kprobe:kprobe_log_call@verbose+kprobe:kprobe_log_call@bpf_verifier_log_write+kprobe:kprobe_log_call@bpf_log")
	k.symbols = symbolsOf(t, "verbose", "verbose", "bpf_verifier_log_write", "bpf_log")
	if h := hookNamed(t, k.plan(&Config{}), "log calls"); len(h.choices) != 0 || !strings.Contains(h.lack, "verbose()") {
		t.Errorf("where there are two: %+v", h)
	}
}

func TestPlanLatency(t *testing.T) {
	const (
		fentry = "fentry:fentry_cache_and_size@__kmalloc_cache_noprof"
		kprobe = "kprobe:kprobe_cache_and_size@__kmalloc_cache_noprof"
	)
	k := kernelOf(t, functions7_3)
	for mode, want := range map[LatencyMode]string{
		LatencyAuto: fentry + " " + kprobe, LatencyFentry: fentry, LatencyKprobe: kprobe,
	} {
		hooks := k.plan(&Config{Latency: mode})
		wantChoices(t, hooks, "__kmalloc_cache_noprof", want)
		for _, h := range hooks {
			if (h.kind == record.HookLatency || h.kind == record.HookPath) && h.required {
				t.Errorf("%s: %s is required", mode, h.name)
			}
		}
	}
	for _, h := range k.plan(&Config{Latency: LatencyOff}) {
		if h.kind == record.HookLatency || h.kind == record.HookPath {
			t.Errorf("off: %s is probed", h.name)
		}
	}

	// Only what the kernel has is probed, each function once.
	for _, functions := range [][]string{functions6_1, functions7_3} {
		var probed []string
		for _, h := range kernelOf(t, functions).plan(&Config{Latency: LatencyAuto}) {
			if h.kind != record.HookLatency && h.kind != record.HookPath {
				continue
			}
			if !slices.Contains(functions, h.name) || slices.Contains(probed, h.name) {
				t.Errorf("%s is probed: %v before", h.name, probed)
			}
			probed = append(probed, h.name)
		}
		for _, f := range functions {
			if strings.Contains(f, "alloc") && !strings.Contains(f, "vmalloc_node_range") && f != "__slab_alloc.isra.0" &&
				!slices.Contains(probed, f) {
				t.Errorf("%s is not probed", f)
			}
		}
	}

	// BTF that lacks a function leaves the kprobe, and on the slow path that
	// of its caller.
	k.types = typesOf(t, nil, kmem)
	hooks := k.plan(&Config{Latency: LatencyAuto})
	wantChoices(t, hooks, "__kmalloc_cache_noprof", kprobe)
	wantChoices(t, hooks, "___slab_alloc",
		"kprobe:kprobe_slow_path@___slab_alloc kprobe:kprobe_slow_path@__slab_alloc.isra.0")
	wantChoices(t, k.plan(&Config{Latency: LatencyFentry}), "__kmalloc_cache_noprof", "")
}

func TestPlanExit(t *testing.T) {
	const (
		name    = "sched_process_exit"
		classic = "tracepoint:tp_" + name + "@sched/" + name
		raw     = "raw_tracepoint:raw_" + name + "@" + name
	)
	k := kernelOf(t, functions6_1)
	wantChoices(t, k.plan(&Config{}), name, raw+" "+classic)
	k.preemptibleRawTP = true
	wantChoices(t, k.plan(&Config{}), name, classic+"+"+raw+" "+classic+" "+raw)
}

func TestPlanWithoutKprobes(t *testing.T) {
	k := kernelOf(t, functions6_1)
	k.kprobes = kernel.Absent[uint32](errors.New("no kprobes"))
	hooks := k.plan(&Config{Latency: LatencyAuto})
	for _, h := range hooks {
		if s := shorthand(h); strings.Contains(s, "kprobe:") || strings.Contains(s, "kretprobe:") {
			t.Errorf("%s is seen by %s", h.name, s)
		}
	}
	wantChoices(t, hooks, "verification start", "fentry:fentry_bpf_check@bpf_check")
	if h := hookNamed(t, hooks, "vmalloc"); len(h.choices) != 0 || !strings.Contains(h.lack, "CONFIG_KPROBE_EVENTS") {
		t.Errorf("vmalloc: %d choices, lacks %q", len(h.choices), h.lack)
	}
	// What never had a choice does not blame kprobes.
	if h := hookNamed(t, hooks, "visits"); strings.Contains(h.lack, "KPROBE") {
		t.Errorf("visits lack %q", h.lack)
	}
}

// Every program that a plan names is in the object and of the type that its means
// takes, and every program of the object is in some plan.
func TestPlannedPrograms(t *testing.T) {
	spec, err := bpf.LoadVerialloc()
	if err != nil {
		t.Fatal(err)
	}
	types := map[record.Means]ebpf.ProgramType{
		record.MeansRawTracepoint: ebpf.RawTracepoint, record.MeansTracepoint: ebpf.TracePoint,
		record.MeansFentry: ebpf.Tracing, record.MeansFexit: ebpf.Tracing, record.MeansKprobe: ebpf.Kprobe, record.MeansKretprobe: ebpf.Kprobe,
	}
	attach := map[record.Means]ebpf.AttachType{record.MeansFentry: ebpf.AttachTraceFEntry, record.MeansFexit: ebpf.AttachTraceFExit}
	planned := map[string]bool{"calibrate": true, "read_clock": true, "locate": true}
	var everything []string
	for _, e := range allocatorEntries {
		everything = append(everything, e.functions...)
	}
	for _, e := range slowPaths {
		everything = append(everything, e.functions...)
	}
	everything = append(append(everything, "__sys_bpf"), logWriters...)
	for _, k := range []*runningKernel{
		kernelOf(t, functions6_1), kernelOf(t, functions7_3, vmapTracepoints...), kernelOf(t, everything),
	} {
		k.preemptibleSyscalls, k.preemptibleRawTP = true, true
		k.progActive, k.perCPUOffsets = kernel.Known(btf.TypeID(1)), kernel.Known(uint64(1))
		for _, h := range k.plan(&Config{Latency: LatencyAuto}) {
			for _, c := range h.choices {
				for _, p := range c.probes {
					planned[p.program] = true
					program := spec.Programs[p.program]
					if program == nil {
						t.Errorf("%s: the object has no program %s", h.name, p.program)
						continue
					}
					if program.Type != types[p.means] || program.AttachType != attach[p.means] {
						t.Errorf("%s: program %s is of type %s, %s: not for %s", h.name, p.program, program.Type, program.AttachType, p.means)
					}
					if (p.group != "") != (p.means == record.MeansTracepoint) || p.target == "" {
						t.Errorf("%s: %s of group %q at %q", h.name, p.means, p.group, p.target)
					}
				}
			}
		}
	}
	// The floor's programs are attached for a moment, outside any plan.
	for _, p := range []probe{
		floorEntry(record.MeansFentry), floorEntry(record.MeansKprobe), floorReturn, floorBeginReturn,
		floorBegin(place{"kmem", "kmalloc"}),
		floorEnd(record.MeansRawTracepoint, place{"kmem", "kmalloc"}), floorEnd(record.MeansTracepoint, place{"kmem", "kmalloc"}),
	} {
		planned[p.program] = true
		if program := spec.Programs[p.program]; program == nil || program.Type != types[p.means] {
			t.Errorf("program %s is %v: not for %s", p.program, program, p.means)
		}
	}
	for name := range spec.Programs {
		if !planned[name] {
			t.Errorf("no plan has program %s", name)
		}
	}
}
