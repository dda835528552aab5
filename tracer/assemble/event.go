package assemble

import "github.com/verialloc/verialloc/tracer/record"

// Kind tells the events apart.
type Kind uint8

// The kinds of event, numbered as bpf/event.h has them.
const (
	KindStart Kind = iota + 1
	_              // a batch of what follows KindOrphan
	KindEnd
	KindOrphan
	KindAlloc
	KindFree
	KindVisit
	KindCache
	KindFailed
	KindName
	KindLog
	KindCalls
)

// Owner is what a name is of.
type Owner uint8

// The owners of names, numbered as bpf/event.h has them.
const (
	OwnerFunction Owner = iota + 1 // of the program: Index 0 is its entry
	OwnerAttachTarget
)

// Source is the allocator that an object came from.
type Source uint8

// The sources of an allocation, numbered as bpf/event.h has them.
const (
	SourceKmalloc Source = iota + 1
	SourceCache
	SourceVmalloc
)

// LatencyNone stands for a latency that was not measured.
const LatencyNone = ^uint64(0)

// Event is one kernel event, decoded. Which fields hold a value depends on Kind.
type Event struct {
	Kind         Kind
	Source       Source // of an alloc, also one that failed
	Path         uint8  // of an alloc: 0 not known, 1 fast, 2 slow, 3 new slab
	CPU          uint16
	TID          uint32
	Verification uint64
	TimeNS       uint64 // CLOCK_MONOTONIC of the initial time namespace

	Pointer   uint64 // of an alloc or free
	CallSite  uint64 // of an alloc, also one that failed, or free; 0: not known
	Requested uint64 // bytes; 0: not known
	Allocated uint64 // bytes
	LatencyNS uint64 // of an alloc or visit
	Cache     uint64 // address of the slab cache, or a hash of its name, of an alloc or cache
	GFP       uint32
	Node      int16

	Result int32  // of a visit: 1 pruned, 0 go on, <0 -errno
	Name   string // of a cache or name
	Owner  Owner  // of a name
	Index  uint32 // of a name: which function of the program

	Start *Start // of a start
	End   *End   // of an end or orphan
	Words *Words // of a log or calls
}

// Request is what the loader asked bpf(2) for.
type Request struct {
	Inputs     record.Inputs // From is empty where nothing was read
	Name       string
	ProgType   uint32
	AttachType uint32
	InsnCount  uint32
}

// Start is the allocation of a verification's env.
type Start struct {
	Request  Request
	Env      uint64
	CgroupID uint64
	// ProcessStartNS is when the process started, by CLOCK_BOOTTIME.
	ProcessStartNS uint64
	PID            uint32
	UID            uint32
	Comm           string
}

// End is the return of bpf(2), with what env held at its release.
type End struct {
	Request Request
	PID     uint32
	UID     uint32
	Comm    string

	CgroupID       uint64
	ProcessStartNS uint64
	EnterNS        uint64 // bpf(2)'s entry; 0: not seen
	BeginNS        uint64 // bpf_check()'s entry
	ReleaseNS      uint64 // 0: not seen
	Returned       bool   // Ret was seen
	Ret            int64  // a file descriptor or -errno

	// Events sent by the kernel side, and those that found no room.
	Allocs, Frees, Visits, Dropped uint64
	VisitEntries, Names            uint64
	FailedEvents                   uint64 // of Failures, those that came once there was an env
	// ProgID is the id of an accepted program; 0: not known.
	ProgID uint32

	// Blind counts the task's slices in which the kernel may have skipped
	// programs that are not raw tracepoints'.
	Blind uint64
	// NoRoom says that a load is an orphan because too many loads were in flight.
	NoRoom bool

	Result Result
	Usage  Usage

	Failures    uint64 // allocations that failed
	FirstFailed Failed // the first of them
	Task        TaskState
	Signal      uint8 // that ends a task that is dying; 0: none
}

// Failed is an allocation that gave NULL.
type Failed struct {
	CallSite, Requested uint64
	GFP                 uint32
	Source              Source
}

// TaskState is a set of what became of the loading task.
type TaskState uint8

// The states, numbered as bpf/event.h has them.
const (
	TaskInterrupted TaskState = 1 << iota
	TaskDying
	TaskOOMVictim
	TaskExec
)

// Result is what struct bpf_verifier_env held when it was released.
type Result struct {
	Valid               bool
	VerificationTimeNS  uint64
	InsnsProcessed      uint32
	TotalStates         uint32
	PeakStates          uint32
	MaxStatesPerInsn    uint32
	LongestMarkReadWalk uint32
	Subprograms         uint32
	ProgType            uint32
	AttachType          uint32
	XlatedInsns         uint32
	LogLevel            uint32
	LogBytes            uint32
	Functions           uint32 // that the program's types describe
	AttachBTFID         uint32
	AttachProgID        uint32 // of the program that it attaches to
	AttachProgName      string
	GPL                 bool
	AttachProg          bool
	Privileges          Privileges
	Tag                 [8]byte
	Name                string
}

// Privileges are a set of what the loader's capabilities spare the verifier.
type Privileges uint8

// The privileges, numbered as bpf/event.h has them.
const (
	PrivilegeBPF Privileges = 1 << iota
	PrivilegeLeakPointers
	PrivilegeBypassSpecV1
	PrivilegeBypassSpecV4
)

// names lists the set as records do.
func (p Privileges) names() []string {
	names := []string{}
	for i, name := range []string{
		record.PrivilegeBPF, record.PrivilegeLeakPointers, record.PrivilegeBypassSpecV1, record.PrivilegeBypassSpecV4,
	} {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Usage is the loading task's page faults and context switches, and the time that it was on
// no CPU, between env's allocation and its release.
type Usage struct {
	MinorFaults, MajorFaults, VoluntarySwitches, InvoluntarySwitches, OffCPUNS uint64
}
