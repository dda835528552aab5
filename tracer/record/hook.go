package record

// Hook is one place in the kernel that verialloc wants to see, and what came of it.
type Hook struct {
	Name    string `json:"name"` // in the field's own terms
	Purpose string `json:"purpose"`
	// Symbol is ServedBy as text, for people.
	//
	// Deprecated: use Targets, Form and Function.
	Symbol string `json:"symbol"`
	// Means is the means of Targets as text, joined by +; none where nothing serves.
	//
	// Deprecated: use Targets.
	Means    string `json:"means"`
	Required bool   `json:"required"`
	// Attached is whether State is HookAttached.
	//
	// Deprecated: use State.
	Attached bool   `json:"attached"`
	Reason   string `json:"reason,omitempty"` // error text: why not, or not wholly
	Advice   string `json:"advice,omitempty"` // what to do, for people

	Kind  HookKind  `json:"kind,omitempty"` // empty: a record of an earlier version
	State HookState `json:"state,omitempty"`
	// Targets are what serves the hook: all of them together. Of one that is not
	// attached they are the way that was tried first; none where there is no way.
	Targets []Target `json:"targets,omitempty"`
	// Errno is the error number of the first way that failed, where it has one and no
	// other way succeeded.
	Errno int `json:"errno,omitempty"`
	// CoveredBy is the name of the hook that makes a covered one needless.
	CoveredBy string `json:"covered_by,omitempty"`
	// Form and Function say what became of a function that is a hook of kind
	// HookFunction on this kernel.
	Form     Form   `json:"form,omitempty"`
	Function string `json:"function,omitempty"`
}

// HookKind groups hooks by what they are for.
type HookKind string

// The kinds of hook.
const (
	HookSlice    HookKind = "slice"         // context switches: which task a CPU's events belong to
	HookLoad     HookKind = "load"          // entry and return of bpf(2)
	HookCheck    HookKind = "check"         // entry of bpf_check()
	HookExit     HookKind = "exit"          // threads that end
	HookLedger   HookKind = "ledger"        // allocations and frees of slab
	HookStandIn  HookKind = "stand_in"      // the same and vmalloc's, where programs of those two are skipped
	HookVmalloc  HookKind = "vmalloc"       // those of vmalloc
	HookVmEntry  HookKind = "vmalloc_entry" // size and caller of vmalloc
	HookVisit    HookKind = "visit"         // is_state_visited()
	HookLatency  HookKind = "latency"       // entries of the allocators
	HookPath     HookKind = "path"          // where an allocation leaves the fast path
	HookReason   HookKind = "reason"        // calls that write the verifier's log
	HookFollow   HookKind = "follow"        // children of a traced command: of earlier versions
	HookFunction HookKind = "function"      // of doctor: a function that verialloc is about; other hooks serve it
)

// HookState is what came of a hook.
type HookState string

// The states of a hook.
const (
	HookAttached HookState = "attached"
	HookRefused  HookState = "refused" // the kernel denies each way: privileges, lockdown or a security policy
	HookAbsent   HookState = "absent"  // the kernel lacks what it takes; or a way failed by another error: see Reason
	HookCovered  HookState = "covered" // not tried: CoveredBy serves as well
	HookReady    HookState = "ready"   // loaded, and attached at the first sign that it is needed
)

// Means is the way in which a BPF program gets to run.
type Means string

// The means. MeansCallSite is no program: is_state_visited() is recognized by the call
// sites of what it allocates.
const (
	MeansRawTracepoint Means = "raw_tracepoint"
	MeansTracepoint    Means = "tracepoint"
	MeansFentry        Means = "fentry"
	MeansFexit         Means = "fexit"
	MeansKprobe        Means = "kprobe"
	MeansKretprobe     Means = "kretprobe"
	MeansCallSite      Means = "call_site"
	MeansNone          Means = "none" // text of a hook that nothing serves; no target has it
)

// Target is one place at which a program runs.
type Target struct {
	Means Means  `json:"means"`
	Name  string `json:"name"`            // function or tracepoint
	Group string `json:"group,omitempty"` // of a tracepoint, such as kmem; a raw one has none
}

// Form is what became of a function on a kernel.
type Form string

// The forms of a function.
const (
	FormInline  Form = "inline"  // in the source: its calls are calls of Function
	FormInlined Form = "inlined" // by the compiler, into Function: known by its call sites
	FormGlobal  Form = "global"  // a symbol of its own: Function
)
