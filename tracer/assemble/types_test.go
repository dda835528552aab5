package assemble

import (
	"slices"
	"testing"
)

func vmalloced(e *Event) { e.Source = SourceVmalloc }

// What each function allocates on each series, by the sizes of that series.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		series    string
		kernel    Kernel
		function  string
		requested uint64
		want      string
	}{
		// State lists: by inlined is_state_visited(), and by itself from 7.1.
		{"6.1", kernel6_1, "do_check_common", 136, "state_list"},
		{"6.12", kernel6_12, "do_check_common", 176, "state_list"},
		{"6.18", kernel6_18, "do_check_common", 192, "state_list"},
		{"7.3", kernel7_3, "bpf_is_state_visited", 256, "state_list"},
		{"6.18", kernel6_18, "is_state_visited.isra.0", 192, "state_list"},
		{"6.18", kernel6_18, "do_check", 192, "state_list"},

		// The same size elsewhere is something else.
		{"6.18", kernel6_18, "push_stack", 192, "stack_elem"},
		{"6.18", kernel6_18, "push_async_cb", 192, "stack_elem"},
		{"6.18", kernel6_18, "check_cfg", 192, "cfg"},
		{"6.1", kernel6_1, "push_stack", 144, "stack_elem"},
		{"6.1", kernel6_1, "push_stack", 136, "push_stack"},
		{"6.12", kernel6_12, "push_stack.constprop.0", 184, "stack_elem"},
		{"7.3", kernel7_3, "push_stack", 264, "stack_elem"},
		{"7.3", kernel7_3, "push_stack", 256, "push_stack"},
		{"7.3", kernel7_3, "push_callback_call", 264, "stack_elem"},
		{"7.3", kernel7_3, "push_callback_call", 952, "func_state"},

		{"6.1", kernel6_1, "do_check_common", 120, "verifier_state"},
		{"6.12", kernel6_12, "do_check_common", 160, "verifier_state"},
		{"6.18", kernel6_18, "do_check_common", 168, "verifier_state"},
		{"7.3", kernel7_3, "do_check_common", 232, "verifier_state"},
		{"7.3", kernel7_3, "bpf_is_state_visited", 232, "verifier_state"},

		{"6.1", kernel6_1, "do_check_common", 1392, "func_state"},
		{"6.1", kernel6_1, "copy_verifier_state", 1392, "func_state"},
		{"6.1", kernel6_1, "__check_func_call", 1392, "func_state"},
		{"6.12", kernel6_12, "setup_func_entry", 1384, "func_state"},
		{"6.18", kernel6_18, "copy_verifier_state.isra.0", 1280, "func_state"},
		{"7.3", kernel7_3, "bpf_copy_verifier_state", 952, "func_state"},
		{"6.1", kernel6_1, "copy_verifier_state", 16, "jmp_history"},
		{"6.12", kernel6_12, "setup_func_entry", 16, "setup_func_entry"},

		// Backedges, where there are such.
		{"6.18", kernel6_18, "do_check_common", 176, "scc_backedge"},
		{"6.18", kernel6_18, "add_scc_backedge", 176, "scc_backedge"},
		{"7.3", kernel7_3, "bpf_is_state_visited", 240, "scc_backedge"},
		{"6.1", kernel6_1, "do_check_common", 176, "do_check_common"},

		// By the function alone.
		{"6.1", kernel6_1, "push_jmp_history", 32, "jmp_history"},
		{"6.12", kernel6_12, "push_insn_history", 32, "jmp_history"},
		{"6.12", kernel6_12, "kvrealloc_noprof", 32, "jmp_history"},
		{"7.3", kernel7_3, "bpf_push_jmp_history", 32, "jmp_history"},
		{"6.1", kernel6_1, "realloc_array", 128, "state_arrays"},
		{"6.18", kernel6_18, "copy_array.constprop.0", 128, "state_arrays"},
		{"6.18", kernel6_18, "compute_postorder", 40, "cfg"},
		{"7.3", kernel7_3, "bpf_compute_postorder", 40, "cfg"},
		{"6.18", kernel6_18, "compute_scc", 40, "scc"},
		{"7.3", kernel7_3, "bpf_compute_live_registers", 40, "liveness"},

		// Anything else goes by its function, without what compilers add.
		{"6.18", kernel6_18, "bpf_prog_realloc", 4096, "bpf_prog_realloc"},
		{"6.18", kernel6_18, "resolve_pseudo_ldimm64.part.0", 64, "resolve_pseudo_ldimm64"},
		{"6.18", kernel6_18, "bpf_check", 104, "bpf_check"},
	} {
		l := newStream(t, c.kernel, Options{}).startLoad(1)
		l.alloc(c.function, c.requested)
		v := l.finish()
		want := []string{"env", c.want}
		slices.Sort(want)
		if got := names(v.Types); !slices.Equal(got, want) {
			t.Errorf("%s: %d bytes by %s give %v, want %v", c.series, c.requested, c.function, got, want)
		}
	}
}

func TestTypesOfVmalloc(t *testing.T) {
	for _, c := range []struct {
		name      string
		function  string
		requested uint64
		want      string
	}{
		{"per-instruction data", "bpf_check", 104, "insn_aux"},
		{"of many instructions", "bpf_check", 1000 * 104, "insn_aux"},
		{"no multiple of it", "bpf_check", 1000*104 + 1, "bpf_check"},
		{"by another", "bpf_prog_alloc", 104, "bpf_prog_alloc"},
		{"caller not known", "", 8192, "vmalloc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, kernel6_18, Options{}).startLoad(1)
			l.alloc(c.function, c.requested, vmalloced, func(e *Event) {
				if c.function == "" {
					e.CallSite = 0
				}
			})
			if v := l.finish(); groupOf(v.Types, c.want).Allocs != 1 {
				t.Errorf("types %v, want %s", names(v.Types), c.want)
			}
		})
	}
}

// Call sites that no symbol holds are shown as addresses, unknown ones not at all.
func TestUnknownCallSites(t *testing.T) {
	l := newStream(t, kernel6_1, Options{}).startLoad(1)
	l.alloc("", 8, func(e *Event) { e.CallSite = 0 })
	l.alloc("", 8, func(e *Event) { e.CallSite = 0xffffffffc0000010 })
	v := l.finish()
	if got := groupOf(v.Types, "unknown"); got.Allocs != 2 {
		t.Errorf("types %v, want 2 of unknown", names(v.Types))
	}
	if got := names(v.Sites); !slices.Equal(got, []string{"", "0xffffffffc0000010", "bpf_check+0x42"}) {
		t.Errorf("sites %q", got)
	}
	checkSums(t, v)
}

// env is known by its pointer, whoever allocates it, and no other object of its
// size is env.
func TestEnv(t *testing.T) {
	for _, kernel := range []Kernel{kernel6_1, kernel6_18, kernel7_3} {
		l := newStream(t, kernel, Options{}).startLoad(1)
		l.alloc("kvmalloc_caller", kernel.Env)
		v := l.finish()
		if g := groupOf(v.Types, "env"); g.Allocs != 1 || g.Frees != 1 || g.BytesRequested != kernel.Env {
			t.Errorf("env of %d bytes: %+v, types %v", kernel.Env, g, names(v.Types))
		}
	}
	// It may come from vmalloc.
	s := newStream(t, kernel7_3, Options{})
	s.none(Event{Kind: KindStart, TID: 1, Verification: 1, Start: &Start{Env: 0xffffc90000000000}})
	l := &load{s: s, id: 1, tid: 1, env: 0xffffc90000000000}
	l.allocAt(l.env, "__vmalloc_node_noprof", kernel7_3.Env, vmalloced)
	if v := l.finish(); groupOf(v.Types, "env").Allocs != 1 || groupOf(v.Caches, "vmalloc").Allocs != 1 {
		t.Errorf("types %v, caches %v", names(v.Types), names(v.Caches))
	}
}

// One call site that serves two types makes a leaf of each, and one site.
func TestOneSiteOfTwoTypes(t *testing.T) {
	l := newStream(t, kernel6_1, Options{}).startLoad(1)
	a := l.alloc("copy_verifier_state", kernel6_1.FuncState)
	b := l.alloc("copy_verifier_state", 16)
	l.alloc("copy_verifier_state", 24)
	l.free(a, "free_verifier_state")
	l.free(b, "free_verifier_state")
	v := l.finish()
	site := groupOf(v.Sites, "copy_verifier_state+0x42")
	if site.Allocs != 3 || site.Frees != 2 || site.PeakLive != 3 {
		t.Errorf("site: %+v", site)
	}
	if f, j := groupOf(v.Types, "func_state"), groupOf(v.Types, "jmp_history"); f.Allocs != 1 || j.Allocs != 2 || j.Outlived != 1 {
		t.Errorf("func_state %+v, jmp_history %+v", f, j)
	}
	checkSums(t, v)
}
