package record

// VerifierStats is what a load took and what the verifier counted in it: in a
// Verification as the tracer saw it in the kernel, in a Sample as the loader got it from
// the system call and the verifier's log. The counts of one load are the same in both; its
// times are two measurements.
type VerifierStats struct {
	// VerifierTimeNS is what the verifier took by its own clock, which its log has in
	// microseconds: a multiple of 1000 in a sample.
	VerifierTimeNS uint64 `json:"verifier_time_ns"`
	// SyscallNS is the whole of bpf(2), wall time.
	SyscallNS uint64 `json:"syscall_ns"`

	InsnsProcessed   uint64 `json:"insns_processed"` // instructions, as often as they were walked
	TotalStates      uint64 `json:"total_states"`    // states kept
	PeakStates       uint64 `json:"peak_states"`     // states kept at once
	MaxStatesPerInsn uint64 `json:"max_states_per_insn"`
	// LongestMarkReadWalk is mark_read in the verifier's log; 0 where the kernel does not
	// count it any more.
	LongestMarkReadWalk uint64 `json:"longest_mark_read_walk"`

	// MaxStackDepth is what the deepest chain of calls uses of the stack in bytes, as the
	// kernel rounds and sums it. The log has it from Linux 7.2; nil: not known.
	MaxStackDepth *uint64 `json:"max_stack_depth,omitempty"`
	// Functions are the functions of the program, entry function first. The log has them
	// from Linux 7.3; nil: not known.
	Functions []Function `json:"functions,omitempty"`
}

// Function is what the verifier counted in one function of a program.
type Function struct {
	Name string `json:"name,omitempty"` // empty: the program has no function information
	Kind string `json:"kind"`           // main, static, global, as the log names it
	// InsnsSelf is InsnsProcessed of the function alone, InsnsTotal with those of the
	// functions that it calls. The verifier walks a global function once, for itself.
	InsnsSelf  uint64 `json:"insns_self"`
	InsnsTotal uint64 `json:"insns_total"`
	StackDepth uint64 `json:"stack_depth"` // bytes
}
