package record

// Outcome is how a load ended and why, as far as that was seen.
type Outcome string

// The outcomes. They follow from what the load returned, from the state of its task and
// from its failed allocations: -EAGAIN alone says neither that the loader repeats the load
// nor that it can.
const (
	OutcomeAccepted     Outcome = "accepted"
	OutcomeRejected     Outcome = "rejected"      // by the verifier
	OutcomeRefused      Outcome = "refused"       // before the verifier, which did not begin
	OutcomeNoDescriptor Outcome = "no_descriptor" // the verifier was done, but the program got no file descriptor
	OutcomeRestarted    Outcome = "restarted"     // a signal ended it; the loader can repeat it
	OutcomeKilled       Outcome = "killed"        // its task dies
	OutcomeOutOfMemory  Outcome = "out_of_memory" // an allocation failed
	OutcomeIncomplete   Outcome = "incomplete"    // not seen whole
)

// Verdict is the verdict that the outcome refines.
func (o Outcome) Verdict() Verdict {
	switch o {
	case OutcomeRefused, OutcomeNoDescriptor, OutcomeOutOfMemory:
		return VerdictRejected
	default:
		return Verdict(o)
	}
}

// KilledBy is what ends the task of a killed load.
type KilledBy string

// What ends a task.
const (
	KilledBySignal KilledBy = "signal"
	KilledByOOM    KilledBy = "oom"  // SIGKILL by the kernel, for want of memory
	KilledByExec   KilledBy = "exec" // another thread of the process calls execve()
	KilledByExit   KilledBy = "exit" // another thread of the process calls exit_group()
)

// ReasonFrom is where the verifier's words for a rejection were read.
type ReasonFrom string

// Where they are: in the log, which is the loader's memory, and which another of its threads
// may write to; or in the kernel's calls that write the log, wanted or not.
const (
	ReasonFromLog   ReasonFrom = "log"
	ReasonFromCalls ReasonFrom = "calls"
)

// FailedAlloc is an allocation that gave nothing.
type FailedAlloc struct {
	Type      string `json:"type"`
	CallSite  string `json:"call_site"` // empty: not known
	Source    string `json:"source"`    // kmalloc, slab_cache or vmalloc
	Requested uint64 `json:"bytes_requested"`
	GFP       uint32 `json:"gfp_flags"`
}

// Count counts what shares a name.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}
