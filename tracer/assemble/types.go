package assemble

import "strings"

// The object types that the verifier is known by. Anything else goes under the
// name of the function that allocates it.
const (
	typeStateList   = "state_list"
	typeStackElem   = "stack_elem"
	typeFuncState   = "func_state"
	typeState       = "verifier_state"
	typeSCCBackedge = "scc_backedge"
	typeJmpHistory  = "jmp_history"
	typeArrays      = "state_arrays" // stack slots and references of a func_state
	typeEnv         = "env"
	typeInsnAux     = "insn_aux"
	typeSCC         = "scc"
	typeCFG         = "cfg"
	typeLiveness    = "liveness"
	typeVmalloc     = "vmalloc"
	typeUnknown     = "unknown"
)

// temporary are the types that the verifier frees before it releases env: one that
// is left means that a free was lost.
var temporary = map[string]bool{
	typeStateList: true, typeStackElem: true, typeFuncState: true, typeState: true, typeSCCBackedge: true,
	typeJmpHistory: true, typeArrays: true, typeCFG: true, typeSCC: true, typeLiveness: true,
}

// owned are those of them that are freed from places where nothing else is: an
// unknown pointer there means that an allocation was lost. kvfree(), which frees
// the others, is called for much.
var owned = map[string]bool{
	typeStateList: true, typeStackElem: true, typeFuncState: true, typeState: true, typeSCCBackedge: true,
}

// byFunction maps allocating functions to types wherever the function alone
// decides. Names are without bpf_ and compiler suffixes.
var byFunction = map[string]string{
	"push_jmp_history":       typeJmpHistory,
	"push_insn_history":      typeJmpHistory,
	"kvrealloc_noprof":       typeJmpHistory, // 6.12, 6.16: push_insn_history() is its one caller there
	"copy_array":             typeArrays,
	"realloc_array":          typeArrays,
	"grow_stack_state":       typeArrays,
	"check_cfg":              typeCFG,
	"compute_postorder":      typeCFG,
	"compute_scc":            typeSCC,
	"scc_visit_alloc":        typeSCC,
	"maybe_enter_scc":        typeSCC,
	"stack_liveness_init":    typeLiveness,
	"live_registers":         typeLiveness,
	"compute_live_registers": typeLiveness,
	"liveness_init":          typeLiveness,
}

// plainName strips what differs between kernels from a function's name: the
// bpf_ prefix that global functions got in 7.1, and compiler suffixes.
func plainName(function string) string {
	function, _, _ = strings.Cut(function, ".")
	return strings.TrimPrefix(function, "bpf_")
}

// typeOf names the type of an allocation. The size alone cannot: struct
// bpf_verifier_stack_elem is as large as struct bpf_verifier_state_list on 6.16
// to 7.2. The function alone cannot either: do_check_common holds the inlined
// is_state_visited() up to 7.0.
func (k *Kernel) typeOf(function string, requested uint64, source Source) string {
	if function == "" {
		if source == SourceVmalloc {
			return typeVmalloc // its caller takes a kprobe to know
		}
		return typeUnknown
	}
	name := plainName(function)
	switch name {
	case "do_check_common", "do_check", "is_state_visited", "add_scc_backedge":
		switch requested {
		case k.StateList:
			return typeStateList
		case k.SCCBackedge:
			return typeSCCBackedge
		case k.State:
			return typeState
		case k.FuncState:
			return typeFuncState
		}
	case "push_stack", "push_async_cb", "push_callback_call", "check_helper_call", "check_kfunc_call",
		"check_cond_jmp_op", "push_goto_x_edge", "sanitize_speculative_path":
		switch requested {
		case k.FuncState:
			return typeFuncState
		case k.StackElem:
			return typeStackElem
		}
	case "copy_verifier_state", "setup_func_entry", "__check_func_call", "check_func_call":
		if requested == k.FuncState {
			return typeFuncState
		}
		if name == "copy_verifier_state" {
			return typeJmpHistory
		}
	case "check", "patch_insn_data", "adjust_insn_aux_data": // bpf_check and what resizes its array
		if source == SourceVmalloc && k.InsnAux > 0 && requested >= k.InsnAux && requested%k.InsnAux == 0 {
			return typeInsnAux
		}
	}
	if t, ok := byFunction[name]; ok {
		return t
	}
	function, _, _ = strings.Cut(function, ".")
	return function
}
