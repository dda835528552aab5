package tracer

import (
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

var u32 = &btf.Int{Name: "unsigned int", Size: 4}

func structOf(name string, size uint32, members ...string) *btf.Struct {
	s := &btf.Struct{Name: name, Size: size}
	for i, m := range members {
		s.Members = append(s.Members, btf.Member{Name: m, Type: u32, Offset: btf.Bits(32 * i)})
	}
	return s
}

func TestFacts(t *testing.T) {
	common := []btf.Type{
		structOf("bpf_verifier_state", 168), structOf("bpf_verifier_state_list", 192),
		structOf("bpf_verifier_stack_elem", 184), structOf("bpf_func_state", 1280),
	}
	for _, c := range []struct {
		name  string
		types []btf.Type
		want  assemble.Kernel
	}{
		{
			"up to 6.15",
			[]btf.Type{structOf("bpf_verifier_env", 25368, "explored_states")},
			assemble.Kernel{PeakRule: assemble.PeakFinal, Env: 25368},
		},
		{"from 6.16", []btf.Type{
			structOf("bpf_verifier_env", 26456, "explored_states", "explored_states_size"),
			structOf("bpf_scc_backedge", 176), structOf("bpf_insn_aux_data", 104),
		}, assemble.Kernel{PeakRule: assemble.PeakMaximum, Env: 26456, SCCBackedge: 176, InsnAux: 104}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &runningKernel{types: typesOf(t, nil, nil, append(c.types, common...)...)}
			if err := k.readFacts(); err != nil {
				t.Fatal(err)
			}
			want := c.want
			want.State, want.StateList, want.StackElem, want.FuncState = 168, 192, 184, 1280
			// Of the machine that runs the test.
			want.PageSize, want.AccountedCaches = k.facts.PageSize, k.facts.AccountedCaches
			if k.facts != want {
				t.Errorf("got %+v, want %+v", k.facts, want)
			}
			if k.facts.PageSize == 0 || k.facts.PageSize%4096 != 0 {
				t.Errorf("page of %d bytes", k.facts.PageSize)
			}
			sizes := k.typeBytes()
			if sizes["bpf_verifier_env"] != want.Env || len(sizes) != 5+len(c.types)-1 {
				t.Errorf("sizes %v", sizes)
			}
		})
	}
}

func TestFactsMissing(t *testing.T) {
	k := &runningKernel{types: typesOf(t, nil, nil, structOf("bpf_verifier_state", 168), structOf("bpf_verifier_env", 26456))}
	if err := k.readFacts(); err == nil || !strings.Contains(err.Error(), "bpf_verifier_state_list") {
		t.Errorf("error %v, want one that names the type", err)
	}
}

func TestPreemption(t *testing.T) {
	for _, c := range []struct {
		version         kernel.Version
		functions       []string
		rawTP, syscalls bool
	}{
		{kernel.Version{Major: 6, Minor: 1, Patch: 192}, nil, false, false},
		{kernel.Version{Major: 6, Minor: 18, Patch: 44}, []string{"trace_call_bpf_faultable"}, false, true},
		{kernel.Version{Major: 7, Minor: 0, Patch: 13}, []string{"trace_call_bpf_faultable"}, true, true},
		{kernel.Version{Major: 10, Minor: 1}, nil, true, false},
	} {
		k := &runningKernel{version: c.version, types: typesOf(t, c.functions, nil, u32), symbols: symbolsOf(t)}
		if err := k.readPreemption(); err != nil {
			t.Errorf("%v: %v", c.version, err)
		}
		if k.preemptibleRawTP != c.rawTP || k.preemptibleSyscalls != c.syscalls {
			t.Errorf("%v: raw tracepoints preemptible: %v, system calls: %v", c.version, k.preemptibleRawTP, k.preemptibleSyscalls)
		}
		if k.progActive.IsKnown() || k.preemptCount.Variable.IsKnown() {
			t.Errorf("%v: variables without symbols: %+v, %+v", c.version, k.progActive, k.preemptCount)
		}
	}
}

func TestProgTypes(t *testing.T) {
	types := map[uint32]string{0: "unspec", 1: "socket_filter"}
	tracer := &Tracer{kernel: &runningKernel{}, progTypes: types}
	if got := tracer.progType(7); got != "7" {
		t.Errorf("a type without a name is %q", got)
	}
	tracer.config.Select.Type = "socket_filter"
	if err := tracer.checkType(); err != nil {
		t.Error(err)
	}
	tracer.config.Select.Type = "socket"
	if err := tracer.checkType(); err == nil || !strings.Contains(err.Error(), "socket_filter, unspec") {
		t.Errorf("error %v, want one that lists what there is", err)
	}
}

// The three names that verialloc is about are inline or global, as each kernel has
// them, and as well seen as what serves them.
func TestMissionHooks(t *testing.T) {
	hooks := []record.Hook{
		{Name: "kmalloc", State: record.HookAttached, Targets: []record.Target{{Means: record.MeansRawTracepoint, Name: "kmalloc"}}},
		{
			Name: "kmem_cache_alloc", State: record.HookRefused, Errno: 1, Reason: "refused", Advice: "be root",
			Targets: []record.Target{{Means: record.MeansRawTracepoint, Name: "kmem_cache_alloc"}},
		},
		{Name: "visits", State: record.HookAttached, Targets: []record.Target{
			{Means: record.MeansFentry, Name: "bpf_is_state_visited"}, {Means: record.MeansFexit, Name: "bpf_is_state_visited"},
		}},
	}
	old := kernelOf(t, functions6_1).missionHooks(hooks)
	now := kernelOf(t, functions7_3).missionHooks(hooks)
	for i, c := range []struct {
		name, symbolOld, symbolNow, meansOld, meansNow string
		attached                                       bool
	}{
		{"kmem_cache_zalloc", "inline over kmem_cache_alloc", "inline over kmem_cache_alloc_noprof", "none", "none", false},
		{"kzalloc", "inline over kmalloc_trace", "inline over __kmalloc_cache_noprof", "raw_tracepoint", "raw_tracepoint", true},
		{"is_state_visited", "inlined into do_check_common, matched by call site", "global bpf_is_state_visited", "call_site", "fentry+fexit", true},
	} {
		if h := old[i]; h.Name != c.name || h.Kind != record.HookFunction || h.ServedBy() != c.symbolOld || h.MeansText() != c.meansOld ||
			(h.State == record.HookAttached) != c.attached || !h.Required {
			t.Errorf("6.1: %+v", h)
		}
		if h := now[i]; h.Name != c.name || h.Kind != record.HookFunction || h.ServedBy() != c.symbolNow || h.MeansText() != c.meansNow ||
			(h.State == record.HookAttached) != c.attached || !h.Required {
			t.Errorf("7.3: %+v", h)
		}
	}
	if h := old[0]; h.State != record.HookRefused || h.Errno != 1 || h.Reason != "refused" || h.Advice != "be root" {
		t.Errorf("the reason is lost: %+v", h)
	}
}
