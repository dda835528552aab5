package record

// Environment describes the kernel and the tracer. It is the first line of a feed.
type Environment struct {
	Head

	TimeUnixNS   int64  `json:"time_unix_ns"`
	Version      string `json:"version"` // of verialloc
	Kernel       string `json:"kernel"`  // uname -r
	Build        string `json:"kernel_build"`
	Architecture string `json:"architecture"` // uname -m
	CPUs         int    `json:"cpus"`

	System
	// Absent says of a member of System that has no value why: member to reason.
	Absent map[string]string `json:"absent,omitempty"`
	// Nonexistent are the members of Absent that the kernel or the machine is known not to
	// have. The others could not be read, and nobody knows.
	Nonexistent []string `json:"nonexistent,omitempty"`

	// Ledger says for people which kernel source counts allocations and frees, Latency
	// which kind of probe times them, Visits how is_state_visited is seen: MeansText of the
	// hooks of these kinds.
	Ledger  string `json:"ledger"`
	Latency string `json:"latency"`
	Visits  string `json:"visits"`
	Hooks   []Hook `json:"hooks"`
	// Missing has the sentence of each of Lacks, which replaces it: filled in when JSON is
	// written. It is empty and not nil where nothing is lacking.
	Missing []string `json:"missing"`

	// ProbeFloorNS is the probes' own share of every latency, the least of many,
	// never subtracted. ProbeFloor says how it was measured: by fentry or kprobe,
	// between such a probe and another on a kernel function that does nothing; or
	// as what the handlers do, without what it takes to get to them.
	ProbeFloorNS uint64 `json:"probe_floor_ns"`
	ProbeFloor   string `json:"probe_floor"`
	// ProbeFloors has that of each hook at which latencies end, of which ProbeFloorNS is the
	// least; nil where it was not measured hook by hook.
	ProbeFloors []ProbeFloor `json:"probe_floors,omitempty"`
	RingBytes   uint64       `json:"ring_bytes"`

	// Sizes of the verifier's types on this kernel, in bytes, from its BTF.
	TypeBytes map[string]uint64 `json:"type_bytes"`
	// PeakRule is this kernel's formula for peak_states: "final" (the last
	// value of allocations less evictions, to 6.15) or "maximum".
	PeakRule string `json:"peak_rule"`

	Lacks []Lack `json:"lacks,omitempty"` // what this kernel does not permit or have
	// UnseenLoads are the classes of loads that have no record on this kernel, for want of
	// a hook that sees them; nil: a record of an earlier version.
	UnseenLoads []LoadClass `json:"unseen_loads,omitzero"`
}

// ProbeFloor is the probes' own share of the latencies that end at one hook of the ledger.
type ProbeFloor struct {
	Hook    string `json:"hook"`  // such as kmalloc
	Means   Means  `json:"means"` // of the entry probe, at which they begin
	FloorNS uint64 `json:"floor_ns"`
}

// LossReport reports losses as soon as they are seen; counts are since start.
type LossReport struct {
	Head

	TimeUnixNS int64  `json:"time_unix_ns"`
	Losses     []Loss `json:"losses"`
	RingBytes  uint64 `json:"ring_bytes,omitempty"` // of the ring buffer by now
	Advice     string `json:"advice"`               // of Remedy, for people
	Remedy     Remedy `json:"remedy,omitempty"`
}

// Summary closes a feed.
type Summary struct {
	Head

	TimeUnixNS      int64              `json:"time_unix_ns"`
	DurationNS      uint64             `json:"duration_ns"` // of the tracing
	Verifications   uint64             `json:"verifications"`
	Verdicts        map[Verdict]uint64 `json:"verdicts"`
	Outcomes        map[Outcome]uint64 `json:"outcomes,omitempty"`
	Unverified      uint64             `json:"unverified"`     // loads that failed before the verifier; never exact
	ResultsUnread   uint64             `json:"results_unread"` // reached the verifier, but what it counted was not read
	Exact           uint64             `json:"exact"`
	TotalStates     uint64             `json:"total_states"`
	Allocs          uint64             `json:"allocs"`
	BytesRequested  uint64             `json:"bytes_requested"`
	BytesAllocated  uint64             `json:"bytes_allocated"`
	AllocTimeNS     uint64             `json:"alloc_time_ns"`
	DurationSumNS   uint64             `json:"duration_sum_ns"` // of the verifications
	LatencyCoverage float64            `json:"latency_coverage"`
	RingBytes       uint64             `json:"ring_bytes,omitempty"` // at the end: it may have grown
	// Simultaneous is the most that was live at once; nil: no verification was exact.
	Simultaneous *Simultaneous `json:"simultaneous,omitempty"`
	Losses       []Loss        `json:"losses"`
	UnseenLoads  []LoadClass   `json:"unseen_loads,omitzero"` // the environment's
	// NotSelected counts loads that were seen and are none of the verifications, as their
	// name, type or duration is not asked for; NotSelectedNames are the first of their names.
	NotSelected      uint64   `json:"not_selected"`
	NotSelectedNames []string `json:"not_selected_names,omitempty"`
	// StandInsAbsent is why the programs that run where those of the ledger are skipped could
	// not be attached when there was need of them; empty: they could, or there was none.
	StandInsAbsent string `json:"stand_ins_absent,omitempty"`
}

// Diagnosis is what doctor found.
type Diagnosis struct {
	Head

	Kernel       string `json:"kernel"`
	Build        string `json:"kernel_build"`
	Architecture string `json:"architecture"`
	OK           bool   `json:"ok"` // all that is required attached
	Hooks        []Hook `json:"hooks"`
	// Missing has the sentence of each of Lacks, which replaces it: filled in when JSON is
	// written. It is empty and not nil where nothing is lacking.
	Missing []string `json:"missing"`
	Lacks   []Lack   `json:"lacks,omitempty"` // what this kernel does not permit or have
	// UnseenLoads are those that an environment would have.
	UnseenLoads []LoadClass `json:"unseen_loads,omitzero"`
	// Fence is what a trace has given up once its probes are live: doctor itself has.
	Fence *Fence `json:"fence,omitempty"`
}
