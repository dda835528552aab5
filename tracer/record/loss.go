package record

import "slices"

// Loss is one reason for which records are not whole, and how often.
type Loss struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// The reasons of losses. LossClasses has what each of them counts.
const (
	LossRingFull        = "ring_full"
	LossEventsMissing   = "events_missing"
	LossRecursion       = "recursion_misses"
	LossUnmatchedFrees  = "unmatched_frees"
	LossUnfreed         = "unfreed_objects"
	LossUnseenFrees     = "unseen_frees"
	LossTotalStates     = "total_states"
	LossPeakStates      = "peak_states"
	LossNoResult        = "result_not_read"
	LossSitesUnresolved = "sites_unresolved"
	LossStartMissed     = "start_missed"
	LossIncomplete      = "incomplete"
	LossBlind           = "blind_slices"
	LossLoadsFull       = "loads_full"
	LossTasksFull       = "tasks_full" // of earlier versions
	LossStarts          = "starts_lost"
	LossEnds            = "ends_lost"
	LossLateEnds        = "ends_late"
	LossOrphans         = "orphans_lost"
)

// LossClass is what is known of the losses of one reason.
type LossClass struct {
	Reason string
	Counts string // what is counted, for people
	// Verification and Tracing say whose losses they are: a verification's, in its Lossy;
	// the tracing's, in a LossReport and the Summary; some are both.
	Verification, Tracing bool
	// Unrecorded are losses of the tracing that leave loads without any record.
	Unrecorded bool
	Remedy     Remedy
}

// LossClasses has an entry for each reason.
var LossClasses = []LossClass{
	{
		Reason: LossRingFull, Verification: true, Tracing: true, Remedy: RemedyRing,
		Counts: "events that found the ring buffer full",
	},
	{Reason: LossEventsMissing, Verification: true, Counts: "events sent by the kernel and not received"},
	{
		Reason: LossRecursion, Verification: true, Tracing: true,
		Counts: "runs of the ledger's programs that the kernel skipped",
	},
	{Reason: LossUnmatchedFrees, Verification: true, Counts: "frees of verifier objects whose allocation was not seen"},
	{Reason: LossUnfreed, Verification: true, Counts: "verifier objects whose free was not seen"},
	{Reason: LossUnseenFrees, Verification: true, Counts: "pointers allocated again without a free between"},
	{Reason: LossTotalStates, Verification: true, Counts: "difference of `state_list_allocs` and `total_states`"},
	{Reason: LossPeakStates, Verification: true, Counts: "difference of `traced_peak_states` and `peak_states`"},
	{Reason: LossNoResult, Verification: true, Counts: "env was not read at its release"},
	{Reason: LossSitesUnresolved, Verification: true, Counts: "kernel addresses are hidden: no call site has a name"},
	{
		Reason: LossStartMissed, Verification: true,
		Counts: "a load that reached the verifier, or may have, whose verification was not seen",
	},
	{Reason: LossIncomplete, Verification: true, Counts: "see `incomplete_reason`"},
	{
		Reason: LossBlind, Verification: true, Remedy: RemedyRepeat,
		Counts: "spans between two context switches of the task in which another task's use of BPF maps may have hidden events, or the caller of a vmalloc",
	},
	{
		Reason: LossLoadsFull, Tracing: true, Unrecorded: true, Remedy: RemedyLess,
		Counts: "loads not traced: too many at once",
	},
	{
		Reason: LossTasksFull, Tracing: true, Unrecorded: true, Remedy: RemedyMachine,
		Counts: "children of the traced command that were not followed, in feeds of earlier versions: too many. From 7.0 one may have been counted twice",
	},
	{
		Reason: LossStarts, Tracing: true, Unrecorded: true, Remedy: RemedyRing,
		Counts: "verifications whose start did not fit: not shown at all",
	},
	{
		Reason: LossEnds, Tracing: true, Remedy: RemedyRing,
		Counts: "verifications whose end did not fit: shown as incomplete",
	},
	{
		Reason: LossLateEnds, Tracing: true, Remedy: RemedyRing,
		Counts: "verifications taken for ones whose end was lost, as more were open than can be, and whose end came after that: shown as incomplete",
	},
	{
		Reason: LossOrphans, Tracing: true, Unrecorded: true, Remedy: RemedyRing,
		Counts: "loads begun before attach, or without room, that could not be shown",
	},
}

// Class returns what is known of the loss; of a reason that this version does not know,
// that alone.
func (l Loss) Class() LossClass {
	i := slices.IndexFunc(LossClasses, func(c LossClass) bool { return c.Reason == l.Reason })
	if i < 0 {
		return LossClass{Reason: l.Reason}
	}
	return LossClasses[i]
}

// Remedy is what helps against losses.
type Remedy string

// The remedies, the first of which goes before the others.
const (
	RemedyRing    Remedy = "larger_ring"   // a larger ring buffer
	RemedyLess    Remedy = "trace_less"    // fewer loads at once
	RemedyMachine Remedy = "trace_machine" // all of the machine in place of a command's children
	RemedyRepeat  Remedy = "repeat"        // once more, as it was by chance
)

var remedies = []struct {
	remedy Remedy
	advice string
}{
	{RemedyRing, "give a larger ring buffer"},
	{RemedyLess, "more loads at once than there is room for: trace less at once"},
	{RemedyMachine, "the command has more children than can be followed: trace the machine in place of the command"},
	{RemedyRepeat, "trace again, or keep the loader on a CPU of its own"},
}

// Advice is the remedy in words, for people.
func (r Remedy) Advice() string {
	for _, known := range remedies {
		if known.remedy == r {
			return known.advice
		}
	}
	return ""
}

// RemedyOf returns what helps most against losses; empty: nothing is known to.
func RemedyOf(losses []Loss) Remedy {
	for _, known := range remedies {
		if slices.ContainsFunc(losses, func(l Loss) bool { return l.Count > 0 && l.Class().Remedy == known.remedy }) {
			return known.remedy
		}
	}
	return ""
}

// Unrecorded reports whether losses leave loads without any record.
func Unrecorded(losses []Loss) bool {
	return slices.ContainsFunc(losses, func(l Loss) bool { return l.Count > 0 && l.Class().Unrecorded })
}
