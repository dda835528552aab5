package record

// A recording is what bench writes as JSON Lines: a machine line first, then the
// programs, then their samples in the order in which they were taken.
const (
	KindMachine = "machine"
	KindProgram = "program"
	KindSample  = "sample"
)

// Machine describes what samples were taken on and how.
type Machine struct {
	Head

	TimeUnixNS   int64    `json:"time_unix_ns"`
	Version      string   `json:"version"` // of verialloc
	CommandLine  []string `json:"command_line"`
	Kernel       string   `json:"kernel"`       // uname -r
	Build        string   `json:"kernel_build"` // uname -v
	Architecture string   `json:"architecture"` // uname -m
	CPUs         int      `json:"cpus"`         // online
	CPUModel     string   `json:"cpu_model"`
	Governor     string   `json:"cpu_governor"` // empty: the kernel has no cpufreq
	Preemption   string   `json:"preemption"`   // none, voluntary, lazy, full or empty if not known

	// Config holds the options of the kernel's configuration that matter to slab
	// and BPF, where the kernel shows it: name to value, n if not set.
	Config map[string]string `json:"config"`
	// Mitigations holds the lines of /sys/devices/system/cpu/vulnerabilities.
	Mitigations map[string]string `json:"mitigations"`
	// SlabMerging tells whether caches of like objects may share slabs; nil: not
	// known. Aliases names, by cache, the caches that share its slabs.
	SlabMerging *bool               `json:"slab_merging"`
	Aliases     map[string][]string `json:"slab_aliases"`

	Seed     uint64 `json:"seed"`     // of the order of the loads
	Repeat   int    `json:"repeat"`   // counted loads of a program, of each mode
	Warmup   int    `json:"warmup"`   // loads before them
	Parallel int    `json:"parallel"` // loaders at once
	CPU      *int   `json:"cpu"`      // that loaders were pinned to; nil: none
}

// Program is one program of a recording.
type Program struct {
	Head

	File       string `json:"file_name"` // base name of the object; of a generated program its spec
	Name       string `json:"prog_name"`
	SHA256     string `json:"object_sha256"` // of the object, or of the generated instructions
	Type       string `json:"prog_type"`     // in lower case
	AttachType string `json:"attach_type"`
	InsnCount  int    `json:"insn_count"` // as loaded
	// Failure is why it cannot be loaded at all, and then it has no samples; a
	// program that the verifier rejects has samples with that verdict.
	Failure string `json:"failure"`
}

// SampleMode tells bare loads from traced ones.
type SampleMode string

// Bare loads have nothing attached and serve for times, traced loads have the
// tracer attached and serve for allocations.
const (
	ModeBare   SampleMode = "bare"
	ModeTraced SampleMode = "traced"
)

// Sample is one counted load.
type Sample struct {
	Head

	TimeUnixNS int64      `json:"time_unix_ns"`
	File       string     `json:"file_name"`
	Program    string     `json:"prog_name"`
	Mode       SampleMode `json:"mode"`
	Round      int        `json:"round"`  // from 0; one load of each program a round
	Loader     int        `json:"loader"` // from 0

	Verdict  Verdict `json:"verdict"`
	Errno    int     `json:"errno"`
	Restarts int     `json:"restarts"` // earlier tries that a signal ended

	// From the verifier's own statistics and the program's information.
	DurationNS       uint64 `json:"duration_ns"` // verification time; a multiple of 1000
	InsnsProcessed   uint64 `json:"insns_processed"`
	TotalStates      uint64 `json:"total_states"`
	PeakStates       uint64 `json:"peak_states"`
	MaxStatesPerInsn uint64 `json:"max_states_per_insn"`
	MaxMarkReadLen   uint64 `json:"max_mark_read_len"`
	ProgSize         uint64 `json:"prog_size"`       // instructions after rewriting
	ProgSizeJited    uint64 `json:"prog_size_jited"` // bytes
	StackDepth       uint64 `json:"stack_depth"`     // bytes, of the deepest chain as the log has it

	SyscallNS uint64 `json:"syscall_ns"` // of bpf(2), wall time
	// Counters are of the loading thread across bpf(2): minor_faults, major_faults,
	// task_clock_ns, context_switches, migrations, cycles, instructions, and of the
	// cgroup memory_peak_bytes.
	Counters map[string]Counter `json:"counters"`

	// Traced is the tracer's record of this load; nil in bare samples.
	Traced *Verification `json:"traced,omitempty"`
}

// Counter is a number, or the reason why there is none.
type Counter struct {
	Value  uint64 `json:"value"`
	Absent string `json:"absent,omitempty"` // why there is no value
}
