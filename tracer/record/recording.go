package record

// A recording is what bench writes as JSON Lines: the machine first, then the programs,
// each ahead of its samples, and the samples in the order in which they were taken, except
// that traced ones whose record was late come last; ahead of the first traced one comes the
// tracer's environment. What package recording makes of the samples follows, as
// observer_cost and fit, and the end. A recording without an end was cut off.
const (
	KindMachine      = "machine"
	KindProgram      = "program"
	KindSample       = "sample"
	KindObserverCost = "observer_cost"
	KindFit          = "fit"
	KindEnd          = "end"
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
	Preemption   string   `json:"preemption"`   // none, voluntary, lazy, full; empty: not known

	System

	// Config holds the options of the kernel's configuration that matter to slab and
	// BPF, where the kernel or its package shows it: name to value, n if not set.
	Config map[string]string `json:"config"`
	// BootOptions are the options of the kernel's command line that matter to them.
	BootOptions []string `json:"boot_options"`
	// Mitigations holds /sys/devices/system/cpu/vulnerabilities, by file.
	Mitigations map[string]string `json:"mitigations"`
	// SlabMerging is whether caches of like objects share slabs; nil: not known.
	SlabMerging *bool `json:"slab_merging"`
	PageBytes   int   `json:"page_bytes"` // 0: a recording of an earlier version
	// SlabCaches are all caches of the kernel.
	SlabCaches []SlabCache `json:"slab_caches"`
	// Absent says of a member that has no value why: member to reason.
	Absent map[string]string `json:"absent"`
	// Nonexistent are the members of Absent that the kernel is known not to have. The
	// others could not be read, and nobody knows.
	Nonexistent []string `json:"nonexistent,omitempty"`

	Seed     uint64 `json:"seed"`     // of the order of the loads
	Repeat   int    `json:"repeat"`   // bare loads of a program that count
	Traced   int    `json:"traced"`   // traced ones
	Warmup   int    `json:"warmup"`   // loads before them, and before the traced ones
	Parallel int    `json:"parallel"` // loaders at once
	CPUList  []int  `json:"cpu_list"` // that loaders were pinned to; empty: none
}

// SlabCache is one cache of /sys/kernel/slab.
type SlabCache struct {
	Name string `json:"name"`
	// ID is the name of the slabs that it shares, or would share, with caches like it,
	// such as :A-0000192; empty of a cache that is never merged. The letters are
	// flags: A is accounted, a reclaimable, d for DMA.
	ID             string   `json:"id"`
	ObjectBytes    uint64   `json:"object_bytes"` // usable
	SlotBytes      uint64   `json:"slot_bytes"`   // with what the allocator adds
	ObjectsPerSlab uint64   `json:"objects_per_slab"`
	Order          uint64   `json:"order"`   // a slab is 2^order pages
	Aliases        []string `json:"aliases"` // the caches that share its slabs
}

// Program is one program of a recording.
type Program struct {
	Head

	ID        int    `json:"id"`        // from 0, unique within a recording
	File      string `json:"file_name"` // base name of the object; stress of a generated program
	Path      string `json:"path"`      // as given; empty of a generated program
	Name      string `json:"prog_name"`
	SHA256    string `json:"object_sha256"` // of the object, or of the generated instructions
	Type      string `json:"prog_type"`     // as libbpf names it: socket_filter
	Attach    string `json:"attach_type"`   // as libbpf names it; empty: none
	InsnCount int    `json:"insn_count"`    // as loaded, with the functions called; 0: not known
	// Generated is the kind and size of a generated program; nil for one of an object, and
	// in recordings of older versions: see GeneratedAs.
	Generated *Generated `json:"generated,omitempty"`
	// Failure is why it cannot be loaded at all, and then it has no samples; a
	// program that the verifier rejects has samples with that verdict.
	Failure string `json:"failure"`
}

// SampleMode is whether a load was bare or traced.
type SampleMode string

// Bare loads have nothing attached and serve for times, traced loads have the tracer
// attached and serve for allocations.
const (
	ModeBare   SampleMode = "bare"
	ModeTraced SampleMode = "traced"
)

// Sample is one counted load.
type Sample struct {
	Head

	TimeUnixNS int64      `json:"time_unix_ns"`
	Program    int        `json:"program"` // Program.ID
	File       string     `json:"file_name"`
	Name       string     `json:"prog_name"`
	Mode       SampleMode `json:"mode"`
	Round      int        `json:"round"`  // from 0; a round has a load of each program
	Loader     int        `json:"loader"` // from 0

	Verdict Verdict `json:"verdict"`
	Errno   int     `json:"errno"`
	// Reason is the verifier's own words for a rejection. It is absent where the program was
	// accepted, and where the log does not have them.
	Reason   string `json:"reason,omitempty"`
	Restarts int    `json:"restarts"` // earlier tries that a signal ended

	// DurationNS is VerifierTimeNS. Only the JSON form has it: it is written, and read
	// where a recording has no verifier_time_ns.
	//
	// Deprecated: a verification's member of this name is another clock. Use
	// VerifierTimeNS.
	DurationNS uint64 `json:"duration_ns"`
	// VerifierStats is from the verifier's log, except SyscallNS, which the loader measures.
	VerifierStats
	// MaxMarkReadLen is LongestMarkReadWalk, as DurationNS is VerifierTimeNS.
	//
	// Deprecated: use LongestMarkReadWalk.
	MaxMarkReadLen uint64 `json:"max_mark_read_len"`

	// From the program's information.
	StackDepth    uint64 `json:"stack_depth"`     // bytes, summed over all functions, as in veristat; see MaxStackDepth
	ProgSize      uint64 `json:"prog_size"`       // instructions that were loaded, with the functions called
	ProgSizeJited uint64 `json:"prog_size_jited"` // bytes; 0 if rejected or not compiled

	// Inputs is what the loader asked for; nil in traced samples, whose record has it, and
	// in recordings of earlier versions.
	Inputs *Inputs `json:"inputs,omitempty"`

	// Counters are those of the load, by name: CounterUserFaults and the others. Traced
	// samples have none.
	Counters map[string]Counter `json:"counters,omitempty"`

	// Traced is the tracer's record of this load; nil in bare samples.
	Traced *Verification `json:"traced,omitempty"`
}

// ObserverCost is what tracing adds to a program's verification, by the verifier's own
// clock.
type ObserverCost struct {
	Head

	Program  int     `json:"program"` // Program.ID
	File     string  `json:"file_name"`
	Name     string  `json:"prog_name"`
	BareNS   uint64  `json:"bare_ns"`   // median verifier_time_ns of the bare samples
	TracedNS uint64  `json:"traced_ns"` // median verifier_time_ns of the traced samples
	Ratio    float64 `json:"ratio"`     // traced over bare
}

// disturbed is a cost of tracing that noise alone does not make.
const disturbed = 0.95

// Disturbed reports whether traced loads took less than bare ones, by more than a
// twentieth. Tracing cannot do that: something else held up the bare ones, and what tracing
// adds is not known.
func (c *ObserverCost) Disturbed() bool { return c.Ratio < disturbed }

// Fit is how a cost grows over the sizes of one kind of generated program: with the
// size to the power of Exponent, by least squares on the logarithms of the medians.
type Fit struct {
	Head

	Stress        string  `json:"stress"` // kind of generated program, such as branches
	Metric        string  `json:"metric"` // duration_ns (verifier_time_ns of bare samples), allocs of traced ones
	Sizes         []int   `json:"sizes"`  // ascending; three at the least
	Exponent      float64 `json:"exponent"`
	StandardError float64 `json:"standard_error"` // of Exponent
}

// End closes a recording.
type End struct {
	Head

	TimeUnixNS  int64  `json:"time_unix_ns"`
	Samples     uint64 `json:"samples"`     // lines of that kind
	Interrupted bool   `json:"interrupted"` // fewer were taken than asked for
	// TracedAbsent is why traced samples that were asked for are missing.
	TracedAbsent string `json:"traced_absent,omitempty"`
}
