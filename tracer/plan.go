package tracer

import (
	"fmt"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// plan lists the hooks that a Config wants on this kernel.
func (k *runningKernel) plan(c *Config) []hook {
	hooks := append([]hook{planSlice()}, k.planLoad()...)
	hooks = append(hooks, k.planLedger()...)
	hooks = append(hooks, k.planVmalloc()...)
	hooks = append(hooks, k.planStandIns()...)
	hooks = append(hooks, k.planVisits(c.Latency), k.planReason())
	hooks = append(hooks, k.planLatency(c.Latency)...)
	if k.kprobes.IsAbsent() { // where that is not known, attaching shows it
		for i := range hooks {
			hooks[i].dropKprobes()
		}
	}
	return hooks
}

// dropKprobes takes out what a kernel without kprobe events cannot serve.
func (h *hook) dropKprobes() {
	before := len(h.choices)
	h.choices = slices.DeleteFunc(h.choices, func(c choice) bool {
		return slices.ContainsFunc(c.probes, func(p probe) bool {
			return p.means == record.MeansKprobe || p.means == record.MeansKretprobe
		})
	})
	if before > 0 && len(h.choices) == 0 {
		h.lack = "the kernel has no kprobes (CONFIG_KPROBE_EVENTS): " + h.lack
	}
}

// planSlice is never served by a classic tracepoint, whose program may be skipped: the
// ledger would then charge one task for another's allocations.
func planSlice() hook {
	return hook{
		name: "sched_switch", purpose: "which load a CPU's allocations belong to", kind: record.HookSlice, required: true,
		choices: []choice{{probes: []probe{{"raw_sched_switch", record.MeansRawTracepoint, "sched_switch", ""}}}},
	}
}

func (k *runningKernel) planLoad() []hook {
	syscall := func(name, program string) choice {
		c := choice{probes: []probe{{program, record.MeansTracepoint, name, "syscalls"}}}
		if k.preemptibleSyscalls {
			c.probes = append(c.probes, probe{program + "_again", record.MeansTracepoint, name, "syscalls"})
		}
		return c
	}
	raw := func(name, program string) choice {
		return choice{probes: []probe{{program, record.MeansRawTracepoint, name, ""}}}
	}
	check := hook{
		name: "verification start", purpose: "bpf_check()'s entry", kind: record.HookCheck,
		lack: "a verification then starts at its env's allocation",
	}
	if k.symbols.Has("bpf_check") {
		kprobe := probe{"kprobe_bpf_check", record.MeansKprobe, "bpf_check", ""}
		fentry := probe{"fentry_bpf_check", record.MeansFentry, "bpf_check", ""}
		// Both: they are skipped on different occasions.
		check.choices = []choice{
			{probes: []probe{kprobe, fentry}}, {probes: []probe{kprobe}}, {probes: []probe{fentry}},
		}
	}
	internal := hook{
		name: "__sys_bpf", purpose: "loads by 32-bit processes and by the kernel; what the tracepoints miss", kind: record.HookLoad,
		lack: "of what the tracepoints miss, raw ones see a part",
	}
	if k.types.HasFunction("__sys_bpf") {
		internal.choices = []choice{{probes: []probe{
			{"fexit_sys_bpf", record.MeansFexit, "__sys_bpf", ""}, {"fentry_sys_bpf", record.MeansFentry, "__sys_bpf", ""},
		}}}
	}
	exit := hook{
		name: "sched_process_exit", purpose: "threads that end", kind: record.HookExit,
		lack:    "a thread that dies in bpf(2) leaves an entry behind",
		choices: k.sched("sched_process_exit"),
	}
	returns := syscall("sys_exit_bpf", "tp_sys_exit_bpf")
	if k.preemptibleSyscalls {
		returns.probes = append(returns.probes, probe{"tp_sys_exit_bpf_wake", record.MeansTracepoint, "sys_exit_bpf", "syscalls"})
	}
	// The return first: a load that is seen to enter is then seen to return.
	return []hook{
		{
			name: "load return", purpose: "verdict", kind: record.HookLoad, required: true,
			choices: []choice{returns, raw("sys_exit", "raw_sys_exit")},
		},
		{
			name: "load entry", purpose: "who loads what", kind: record.HookLoad, required: true,
			choices: []choice{syscall("sys_enter_bpf", "tp_sys_enter_bpf"), raw("sys_enter", "raw_sys_enter")},
		},
		internal,
		// At every system call of the machine, so only where it must be.
		{
			name: "load return, raw", purpose: "verdict of loads by 32-bit processes, and where the tracepoint misses it", kind: record.HookLoad, unless: internal.name,
			choices: []choice{raw("sys_exit", "raw_sys_exit")},
		},
		{
			name: "load entry, raw", purpose: "loads by 32-bit processes, and what the tracepoint misses", kind: record.HookLoad, unless: internal.name,
			choices: []choice{raw("sys_enter", "raw_sys_enter")},
		},
		check, exit,
	}
}

// tracepoint gives the ways to hook a tracepoint, the better one first. Up to 6.19 a
// raw program runs with preemption disabled: it is cheap, and none but an interrupt's
// event is skipped. From 7.0 the kernel skips it for all tasks on a CPU where one was
// preempted inside it. A classic one still runs with preemption disabled there. It is
// skipped where a task was preempted while bpf(2) updates a map, which the programs can
// see (bpf/slice.h).
func (k *runningKernel) tracepoint(group, name string) []choice {
	raw := choice{probes: []probe{rawTracepoint(name)}, inexact: k.preemptibleRawTP}
	classic := k.skippable(probe{"tp_" + name, record.MeansTracepoint, name, group})
	if k.preemptibleRawTP {
		return []choice{classic, raw}
	}
	return []choice{raw, classic}
}

func rawTracepoint(name string) probe {
	return probe{"raw_" + name, record.MeansRawTracepoint, name, ""}
}

// skippable is a choice of programs that the kernel skips while bpf_prog_active is
// held.
func (k *runningKernel) skippable(probes ...probe) choice {
	return choice{probes: probes, skippable: k.progActive.IsKnown(), inexact: !k.progActive.IsKnown()}
}

func (k *runningKernel) planLedger() []hook {
	ledger := func(name, purpose string) hook {
		h := hook{name: name, purpose: purpose, kind: record.HookLedger, required: true}
		if k.types.HasTracepoint(name) {
			h.choices = k.tracepoint("kmem", name)
		} else {
			h.lack = "the kernel has no such tracepoint"
		}
		return h
	}
	return []hook{
		ledger("kmalloc", "ledger: kmalloc, krealloc, kvmalloc and large kmalloc"),
		ledger("kmem_cache_alloc", "ledger: objects of slab caches"),
		ledger("kfree", "ledger: frees of kmalloc"),
		ledger("kmem_cache_free", "ledger: frees to slab caches"),
	}
}

func (k *runningKernel) planVmalloc() []hook {
	alloc := hook{
		name: "vmalloc", purpose: "ledger: vmalloc, kvmalloc's fallback too", kind: record.HookVmalloc,
		lack: "large arrays in vmalloc space, insn_aux among them, are not counted, and a kmalloc that vmalloc made up for counts as failed",
	}
	free := hook{
		name: "vfree", purpose: "ledger: frees of vmalloc", kind: record.HookVmalloc,
		lack: alloc.lack,
	}
	size := hook{
		name: "vmalloc entry", purpose: "requested size, gfp flags and caller of vmalloc", kind: record.HookVmEntry,
		lack: "vmalloc areas then have no caller or type, and whole pages as their requested size",
	}
	failed := hook{
		name: "vmalloc return", purpose: "vmalloc that gave nothing", kind: record.HookVmEntry,
		lack: "such allocations are not among those that failed",
	}
	function := k.vmalloc()
	entry := probe{"kprobe_vmalloc", record.MeansKprobe, function, ""}
	switch {
	case k.types.HasTracepoint("alloc_vmap_area"): // from 6.2
		alloc.choices = k.tracepoint("vmalloc", "alloc_vmap_area")
		free.choices = k.tracepoint("vmalloc", "free_vmap_area_noflush")
		if function != "" {
			size.choices = []choice{{probes: []probe{entry}}}
			failed.choices = []choice{{probes: []probe{{"kretprobe_vmalloc_null", record.MeansKretprobe, function, ""}}}}
		}
		return []hook{alloc, free, size, failed}
	case function != "":
		alloc.choices = []choice{k.skippable(entry, probe{"kretprobe_vmalloc", record.MeansKretprobe, function, ""})}
		free.choices = []choice{k.skippable(probe{"kprobe_vfree", record.MeansKprobe, "vfree", ""})}
	}
	return []hook{alloc, free}
}

// vmalloc returns the function that all of vmalloc() goes through, or "".
func (k *runningKernel) vmalloc() string {
	return k.firstSymbol("__vmalloc_node_range_noprof", "__vmalloc_node_range")
}

func (k *runningKernel) planVisits(mode LatencyMode) hook {
	h := hook{
		name: "visits", purpose: "is_state_visited(): visits, prune hits and their latency", kind: record.HookVisit,
		lack:      "it was inlined into do_check_common: only its allocations are seen, by call site",
		callSites: inlinedInto,
	}
	if f := k.firstSymbol("bpf_is_state_visited", "is_state_visited"); f != "" {
		h.lack, h.callSites = "only its allocations are seen, by call site", f
		if mode == LatencyOff {
			h.lack = "latency is off: " + h.lack
			return h
		}
		h.choices = []choice{
			{probes: []probe{{"fentry_visit", record.MeansFentry, f, ""}, {"fexit_visit", record.MeansFexit, f, ""}}},
			{probes: []probe{{"kprobe_visit", record.MeansKprobe, f, ""}, {"kretprobe_visit", record.MeansKretprobe, f, ""}}},
		}
	}
	return h
}

// logWriters are the functions that write the verifier's log.
var logWriters = []string{sharedName, "bpf_verifier_log_write", "bpf_log"}

// sharedName is a function that variables share their name with, as in kernel/torture.c.
const sharedName = "verbose"

// planReason hooks the calls that write the verifier's log. It takes that slices show when
// the kernel skips a program: a call that is missing would change the words.
func (k *runningKernel) planReason() hook {
	h := hook{
		name: "log calls", purpose: "the verifier's words for a rejection, also where the loader wants no log", kind: record.HookReason,
		lack: "the verifier's words are read from the loader's log alone, if it asks for one",
	}
	if !k.progActive.IsKnown() && !k.kprobes.IsAbsent() {
		h.lack = "the kernel does not show when it skips probes (bpf_prog_active): " + h.lack
		return h
	}
	var c choice
	for _, f := range logWriters {
		if address := k.symbols.Address(f); !address.IsKnown() {
			h.lack = fmt.Sprintf("function %s(): %v: %s", f, address.Why(), h.lack)
			return h
		}
		c.probes = append(c.probes, probe{"kprobe_log_call", record.MeansKprobe, f, ""})
	}
	h.choices = []choice{c}
	return h
}

// Where the allocators take the requested size and the cache, by the program that
// reads them there. kmalloc() compiles to the first three, depending on what is
// constant, and krealloc() calls __kmalloc_node_track_caller; the names changed with
// allocation profiling in 6.10 (_noprof).
var allocatorEntries = []struct {
	program   string
	functions []string
}{
	{"cache_and_size", []string{"kmalloc_trace", "__kmalloc_cache_noprof"}},
	{"cache_node_and_size", []string{"kmalloc_node_trace", "__kmalloc_cache_node_noprof"}},
	{"size_first", []string{
		"__kmalloc", "__kmalloc_noprof",
		"__kmalloc_node", "__kmalloc_node_noprof",
		"__kmalloc_node_track_caller", "__kmalloc_node_track_caller_noprof",
		"kmalloc_large", "kmalloc_large_node", "__kmalloc_large_noprof", "__kmalloc_large_node_noprof",
		"kvmalloc_node", "__kvmalloc_node_noprof",
		"__kmalloc_flags_noprof",
	}},
	{"cache_alone", []string{
		"kmem_cache_alloc", "kmem_cache_alloc_noprof",
		"kmem_cache_alloc_lru", "kmem_cache_alloc_lru_noprof",
		"kmem_cache_alloc_node", "kmem_cache_alloc_node_noprof",
	}},
}

// Where an allocation leaves the fast path. 6.18 and 6.19 forbid kprobes on
// ___slab_alloc (NOKPROBE_SYMBOL, as kmalloc_nolock() may be called from one), and
// cilium/ebpf finds no BTF function whose name begins with three underscores: its
// one caller then serves.
var slowPaths = []struct {
	program   string
	functions []string
	caller    string
}{
	{"slow_path", []string{"___slab_alloc"}, "__slab_alloc"},
	{"slow_path", []string{"__pcs_replace_empty_main"}, ""},
	{"new_slab", []string{"allocate_slab"}, ""},
}

func (k *runningKernel) planLatency(mode LatencyMode) []hook {
	if mode == LatencyOff {
		return nil
	}
	var hooks []hook
	add := func(kind record.HookKind, purpose, program string, functions []string, caller, lack string) {
		for _, f := range functions {
			if !k.symbols.Has(f) {
				continue
			}
			fentry := choice{probes: []probe{{"fentry_" + program, record.MeansFentry, f, ""}}}
			kprobe := choice{probes: []probe{{"kprobe_" + program, record.MeansKprobe, f, ""}}}
			h := hook{name: f, purpose: purpose, kind: kind, lack: lack}
			if mode != LatencyKprobe && k.types.HasFunction(f) {
				h.choices = append(h.choices, fentry)
			}
			if mode != LatencyFentry {
				h.choices = append(h.choices, kprobe)
				if caller != "" {
					if symbol := k.symbols.Variant(caller); symbol != "" {
						h.choices = append(h.choices, choice{probes: []probe{{"kprobe_" + program, record.MeansKprobe, symbol, ""}}})
					}
				}
			}
			hooks = append(hooks, h)
		}
	}
	for _, e := range allocatorEntries {
		add(record.HookLatency, "allocation latency", e.program, e.functions, "", "its calls have no latency")
	}
	for _, e := range slowPaths {
		add(record.HookPath, "the allocator's slow paths", e.program, e.functions, e.caller, "paths are not told apart")
	}
	return hooks
}

// sched gives the ways to hook a tracepoint of the scheduler where it may be done twice. Up
// to 6.19 a raw program is never skipped there. From 7.0 it is where another task was
// preempted in it, and the classic one where one was in bpf(2).
func (k *runningKernel) sched(name string) []choice {
	classic := probe{"tp_" + name, record.MeansTracepoint, name, "sched"}
	raw := probe{"raw_" + name, record.MeansRawTracepoint, name, ""}
	if !k.preemptibleRawTP {
		return []choice{{probes: []probe{raw}}, {probes: []probe{classic}}}
	}
	return []choice{{probes: []probe{classic, raw}}, {probes: []probe{classic}}, {probes: []probe{raw}}}
}

// firstSymbol returns the first of the names that the kernel has, or "".
func (k *runningKernel) firstSymbol(names ...string) string {
	if i := slices.IndexFunc(names, k.symbols.Has); i >= 0 {
		return names[i]
	}
	return ""
}
