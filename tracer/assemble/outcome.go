package assemble

import (
	"cmp"
	"slices"
	"syscall"

	"github.com/verialloc/verialloc/tracer/record"
)

// describeOutcome fills in how a load ended. ReachedVerifier is known by then.
func describeOutcome(r *record.Verification, end *End) {
	if end.Ret < 0 && end.Returned {
		r.Errno = int(-end.Ret)
	}
	r.Outcome = outcomeOf(end, r.ReachedVerifier)
	r.Verdict = r.Outcome.Verdict()
	if r.Outcome != record.OutcomeKilled {
		return
	}
	r.Signal = int(end.Signal)
	switch {
	case end.Task&TaskOOMVictim != 0:
		r.KilledBy = record.KilledByOOM
	case end.Task&TaskExec != 0:
		r.KilledBy = record.KilledByExec
	case end.Signal == 0:
		r.KilledBy = record.KilledByExit
	default:
		r.KilledBy = record.KilledBySignal
	}
}

// outcomeOf tells what ended a load. A task that dies gets -EAGAIN of the verifier, -ENOMEM of
// an allocation and -EFAULT where its memory is to be read or written; with another error
// the program was rejected first.
func outcomeOf(end *End, verified bool) record.Outcome {
	errno := syscall.Errno(-end.Ret)
	dying := end.Task&TaskDying != 0 && slices.Contains([]syscall.Errno{syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.EFAULT}, errno)
	switch {
	case !end.Returned:
		return record.OutcomeIncomplete
	case end.Ret >= 0:
		return record.OutcomeAccepted
	case dying:
		return record.OutcomeKilled
	case errno == syscall.ENOMEM && end.Failures > 0:
		return record.OutcomeOutOfMemory
	// The verifier gives -EAGAIN for a signal alone. Another thread may have taken it since.
	case errno == syscall.EAGAIN && (verified || end.Task&TaskInterrupted != 0):
		return record.OutcomeRestarted
	case !verified:
		return record.OutcomeRefused
	// bpf_prog_new_fd() gives these, for a program that bpf_check() has accepted. What else
	// may fail after it, such as the JIT, gives errors that the verifier gives too.
	case errno == syscall.EMFILE || errno == syscall.ENFILE:
		return record.OutcomeNoDescriptor
	default:
		return record.OutcomeRejected
	}
}

// failed is a verification's failed allocations of one kind.
type failed map[string]uint64

func (f *failed) add(name string) {
	if *f == nil {
		*f = failed{}
	}
	(*f)[name]++
}

// counts lists the kinds, the most frequent first.
func (f failed) counts() []record.Count {
	var counts []record.Count
	for name, n := range f {
		counts = append(counts, record.Count{Name: name, Count: n})
	}
	slices.SortFunc(counts, func(a, b record.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return counts
}

// describeFailures fills in the failed allocations.
func (a *Assembler) describeFailures(r *record.Verification, end *End) {
	r.FailedAllocs = end.Failures
	if end.Failures == 0 {
		return
	}
	first := &end.FirstFailed
	objectType, site := a.typeOfFailed(first)
	r.FirstFailedAlloc = &record.FailedAlloc{
		Type: objectType, CallSite: site, Source: sourceNames[first.Source], Requested: first.Requested, GFP: first.GFP,
	}
}

var sourceNames = map[Source]string{SourceKmalloc: "kmalloc", SourceCache: "slab_cache", SourceVmalloc: "vmalloc"}

// typeOfFailed names what was to be allocated, and where.
func (a *Assembler) typeOfFailed(f *Failed) (objectType, site string) {
	function, site := a.locate(f.CallSite)
	if f.Requested == a.kernel.Env {
		return typeEnv, site
	}
	return a.kernel.typeOf(function, f.Requested, f.Source), site
}
