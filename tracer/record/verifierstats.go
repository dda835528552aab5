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
}
