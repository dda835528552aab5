package record

import "strings"

// Verdict is how a program load ended.
type Verdict string

// The verdicts. Restarted is a load that gave -EAGAIN, which a signal to the
// loading thread brings about and which the loader repeats: the repetition is a
// verification of its own. Killed is one whose loader dies, so that nothing repeats it.
// Incomplete is one that the tracer did not see whole; IncompleteReason says why.
// An [Outcome] is finer.
const (
	VerdictAccepted   Verdict = "accepted"
	VerdictRejected   Verdict = "rejected"
	VerdictRestarted  Verdict = "restarted"
	VerdictKilled     Verdict = "killed"
	VerdictIncomplete Verdict = "incomplete"
)

// Verification is one program load and all that the verifier allocated for it.
type Verification struct {
	Head

	// ID is unique within a feed; events carry it. It is 0 for a load that
	// did not reach the verifier, or that began before the tracer was live.
	ID         uint64 `json:"id"`
	TimeUnixNS int64  `json:"time_unix_ns"` // of the start
	PID        uint32 `json:"pid"`          // thread group, as the initial PID namespace has it
	TID        uint32 `json:"tid"`
	Comm       string `json:"comm"`
	UID        uint32 `json:"uid"`
	CgroupID   uint64 `json:"cgroup_id"` // cgroup v2
	// CgroupPath and ContainerID are empty where they are not known, as of a group that was
	// removed, or in no container.
	CgroupPath  string  `json:"cgroup_path,omitempty"`
	ContainerID string  `json:"container_id,omitempty"`
	Loader      *Loader `json:"loader,omitempty"` // nil: not asked for, or not to be had

	// ProgName, ProgType and AttachType are those of the program that was verified. Where
	// nothing was, or the result was not read, they are what Inputs.From has.
	ProgName string `json:"prog_name"` // up to 15 bytes, as the kernel keeps it
	// FullName is that of the program's entry function, and SubprogramNames are those of all
	// others in their order, as the program's types have them; empty where they do not.
	FullName        string   `json:"full_name,omitempty"`
	SubprogramNames []string `json:"subprogram_names,omitempty"`
	ProgID          uint32   `json:"prog_id,omitempty"` // of an accepted program; 0: not known
	ProgType        string   `json:"prog_type"`
	AttachType      uint32   `json:"attach_type"` // enum bpf_attach_type
	// AttachTypeName is AttachType as libbpf names it, such as cgroup_inet_ingress; empty
	// where the kernel has no name for it, and for 0, which most programs give for none.
	AttachTypeName string `json:"attach_type_name"`
	// AttachTarget is the function, tracepoint or member of a struct that the program
	// attaches to by BTF id, as far as it was found; AttachProg* are the program whose
	// function that is.
	AttachTarget   string `json:"attach_target,omitempty"`
	AttachProgName string `json:"attach_prog_name,omitempty"` // up to 15 bytes
	AttachProgID   uint32 `json:"attach_prog_id,omitempty"`
	// AskedFor is what bpf_attr named where that is not what was verified; nil: it is.
	AskedFor *AskedFor `json:"asked_for,omitempty"`
	// ProgTag is the kernel's hash of the program as loaded, before the
	// verifier rewrites it: an identity that does not depend on the license.
	// It is all zeros where the load failed before the hash was made, and
	// empty where env was not read.
	ProgTag     string `json:"prog_tag"`
	InsnCount   uint32 `json:"insn_count"`   // as loaded
	XlatedInsns uint32 `json:"xlated_insns"` // as rewritten, at env's release
	Subprograms uint32 `json:"subprograms"`
	// Inputs is what the load was asked for beside that; nil where it was not read.
	Inputs *Inputs `json:"inputs,omitempty"`

	Verdict Verdict `json:"verdict"`
	Errno   int     `json:"errno"` // 0, or the positive error number
	Outcome Outcome `json:"outcome"`
	// KilledBy and Signal are of a killed load. A process that exits by itself, in another
	// of its threads, has no signal.
	KilledBy         KilledBy `json:"killed_by,omitempty"`
	Signal           int      `json:"signal,omitempty"` // number
	IncompleteReason string   `json:"incomplete_reason,omitempty"`
	// Reason is why the verifier rejected the program, in its own words, see package
	// verifierlog; empty where they are not known, or there are none.
	Reason     string     `json:"reason,omitempty"`
	ReasonFrom ReasonFrom `json:"reason_from,omitempty"`
	// ReachedVerifier is false where bpf(2) failed before bpf_check()
	// allocated its env: nothing was verified then.
	ReachedVerifier bool `json:"reached_verifier"`

	// DurationNS runs from bpf_check()'s entry (where that is not probed:
	// from env's allocation) to the release of its env, by the probes' clock.
	DurationNS uint64 `json:"duration_ns"`
	// CPUTimeNS is the part of DurationNS that the task was on a CPU, interrupts included:
	// without the time that it waited or that another task ran. 0: not known.
	CPUTimeNS uint64 `json:"cpu_time_ns,omitempty"`
	// VerifierStats is read from struct bpf_verifier_env at its release, except
	// SyscallNS, which the probes measure.
	VerifierStats

	// Counted from the traced events.
	StateListAllocs uint64 `json:"state_list_allocs"` // equals total_states
	TracedPeak      uint64 `json:"traced_peak_states"`
	Allocs          uint64 `json:"allocs"`
	Frees           uint64 `json:"frees"` // of objects allocated within
	ForeignFrees    uint64 `json:"foreign_frees"`
	Outlived        uint64 `json:"outlived"` // objects live at env's release
	BytesRequested  uint64 `json:"bytes_requested"`
	BytesAllocated  uint64 `json:"bytes_allocated"`
	PeakLiveBytes   uint64 `json:"peak_live_bytes"` // allocated bytes
	// PeakLiveAccountedBytes counts only objects with __GFP_ACCOUNT, which
	// the cgroup's memory.peak holds too.
	PeakLiveAccountedBytes uint64 `json:"peak_live_accounted_bytes"`

	// AllocTimeNS sums the latencies that were measured; nothing is scaled up
	// for those that were not. LatencyCoverage is the measured share of
	// Allocs, 0 to 1. Every latency holds the probe's own floor, see the
	// environment's probe_floor_ns.
	AllocTimeNS     uint64    `json:"alloc_time_ns"`
	LatencyCoverage float64   `json:"latency_coverage"`
	Latency         Histogram `json:"latency"`

	// FailedAllocs are allocations that gave nothing, and that no other took the place of:
	// not kvmalloc()'s attempt by kmalloc where vmalloc then had memory. They are not
	// among Allocs. FailedTypes and FailedSites have none of before env's allocation.
	FailedAllocs     uint64       `json:"failed_allocs"`
	FailedTypes      []Count      `json:"failed_types,omitempty"`
	FailedSites      []Count      `json:"failed_sites,omitempty"`
	FirstFailedAlloc *FailedAlloc `json:"first_failed_alloc,omitempty"`

	// VisitsMeans is how is_state_visited() was seen: fentry+fexit or
	// kprobe+kretprobe, or by the call_site of its allocations alone.
	VisitsMeans string `json:"visits_means"`
	// Visits is what is_state_visited() did; nil where it is not probed.
	Visits *Visits `json:"visits,omitempty"`

	// Of the loading task, between env's allocation and release; 0 where the release
	// was not seen.
	PageFaults      uint64 `json:"page_faults"`
	MajorFaults     uint64 `json:"major_faults"` // part of page_faults
	ContextSwitches uint64 `json:"context_switches"`
	Preemptions     uint64 `json:"preemptions"` // part of context_switches: not by the task's own will

	// Exact is true only if state_list_allocs equals total_states, this
	// kernel's formula for the peak gives peak_states and nothing was lost.
	// Otherwise Lossy names each reason with its count. An incomplete or
	// unverified load is never exact.
	Exact bool   `json:"exact"`
	Lossy []Loss `json:"lossy"`

	// EventsDropped are events that were asked for and that the feed does not have: too many
	// waited until it was known whether their load is selected. They are counted above.
	EventsDropped uint64 `json:"events_dropped,omitempty"`

	Types  []Group `json:"types"`
	Caches []Group `json:"caches"`
	Sites  []Group `json:"sites"`
	Paths  []Group `json:"paths"` // by the allocator's path: fast, slow, new_slab, page, vmalloc, unknown
}

// Loader is the process that loaded a program, as /proc showed it when its verification was
// seen.
type Loader struct {
	CommandLine []string `json:"command_line"`
	Cut         bool     `json:"cut"`        // there is more of the command line
	Executable  string   `json:"executable"` // empty: not to be had
}

// AskedFor is a program as its loader's bpf_attr named it.
type AskedFor struct {
	ProgName       string `json:"prog_name"`
	ProgType       string `json:"prog_type"`
	AttachType     uint32 `json:"attach_type"`
	AttachTypeName string `json:"attach_type_name"`
}

// WholeName is the program's name, which the kernel keeps 15 bytes of, as far as it is
// known: the name of the entry function where it goes on as those bytes begin.
func (v *Verification) WholeName() string {
	if len(v.ProgName) == keptName && strings.HasPrefix(v.FullName, v.ProgName) {
		return v.FullName
	}
	return v.ProgName
}

// keptName is how much of a program's name the kernel keeps, in bytes.
const keptName = 15

// NameCut reports whether the program may have a longer name, of which only what the kernel
// keeps is known.
func (v *Verification) NameCut() bool {
	return v.FullName == "" && len(v.ProgName) == keptName && (v.Inputs == nil || v.Inputs.FuncInfoCount > 0)
}

// ResultRead reports whether what the verifier counts was read. Otherwise
// InsnsProcessed, TotalStates and what follows them are 0 and say nothing.
func (v *Verification) ResultRead() bool { return v.ProgTag != "" }

// Visits is what is_state_visited() did in one verification. The kernel skips a
// probe on a CPU where another task was preempted inside it: with several loads at
// once, Count and PruneHits are the least.
type Visits struct {
	Count     uint64    `json:"count"`
	PruneHits uint64    `json:"prune_hits"` // it returned 1
	Missed    uint64    `json:"missed"`     // entries without a return, or the reverse
	Latency   Histogram `json:"latency"`
}

// Group sums the allocations of a verification that share a name: an object
// type, a slab cache, a call site or an allocator path.
type Group struct {
	Name           string    `json:"name"`
	Allocs         uint64    `json:"allocs"`
	Frees          uint64    `json:"frees"`
	Outlived       uint64    `json:"outlived"`
	BytesRequested uint64    `json:"bytes_requested"`
	BytesAllocated uint64    `json:"bytes_allocated"`
	PeakLive       uint64    `json:"peak_live"` // objects
	PeakLiveBytes  uint64    `json:"peak_live_bytes"`
	AllocTimeNS    uint64    `json:"alloc_time_ns"`
	Latency        Histogram `json:"latency"`
	// Of a slab cache: KernelName is what the kernel calls it, where that is not Name, the
	// one that it was asked for by; Aliases are the others that share its slabs, nil where
	// that is not known, or it is no slab cache.
	KernelName string   `json:"kernel_name,omitempty"`
	Aliases    []string `json:"aliases,omitzero"`
	// Shares are the parts of an object type that each slab cache served; absent from
	// other groups.
	Shares []Share `json:"shares,omitempty"`
}

// Share is what one slab cache served of a group.
type Share struct {
	Cache          string `json:"cache"`
	Allocs         uint64 `json:"allocs"`
	BytesRequested uint64 `json:"bytes_requested"`
	BytesAllocated uint64 `json:"bytes_allocated"`
}
