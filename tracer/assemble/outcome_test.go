package assemble

import (
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestOutcome(t *testing.T) {
	errno := func(e syscall.Errno) int64 { return -int64(e) }
	for name, c := range map[string]struct {
		end     End
		unseen  bool // env was not seen
		want    record.Outcome
		by      record.KilledBy
		verdict record.Verdict
	}{
		"accepted":                 {End{Ret: 3}, false, "accepted", "", "accepted"},
		"accepted and killed":      {End{Ret: 3, Task: TaskDying, Signal: 9}, false, "accepted", "", "accepted"},
		"rejected":                 {End{Ret: errno(syscall.EACCES)}, false, "rejected", "", "rejected"},
		"rejected, then killed":    {End{Ret: errno(syscall.EACCES), Task: TaskDying, Signal: 9}, false, "rejected", "", "rejected"},
		"too complex":              {End{Ret: errno(syscall.ENOMEM)}, false, "rejected", "", "rejected"},
		"out of memory":            {End{Ret: errno(syscall.ENOMEM), Failures: 1}, false, "out_of_memory", "", "rejected"},
		"out of memory for env":    {End{Ret: errno(syscall.ENOMEM), Failures: 1}, true, "out_of_memory", "", "rejected"},
		"refused":                  {End{Ret: errno(syscall.EINVAL)}, true, "refused", "", "rejected"},
		"refused with EAGAIN":      {End{Ret: errno(syscall.EAGAIN)}, true, "refused", "", "rejected"},
		"too many files":           {End{Ret: errno(syscall.EMFILE)}, false, "no_descriptor", "", "rejected"},
		"too many of all":          {End{Ret: errno(syscall.ENFILE)}, false, "no_descriptor", "", "rejected"},
		"refused with EMFILE":      {End{Ret: errno(syscall.EMFILE)}, true, "refused", "", "rejected"},
		"too many, then killed":    {End{Ret: errno(syscall.EMFILE), Task: TaskDying, Signal: 9}, false, "no_descriptor", "", "rejected"},
		"restarted":                {End{Ret: errno(syscall.EAGAIN), Task: TaskInterrupted}, false, "restarted", "", "restarted"},
		"its signal went to other": {End{Ret: errno(syscall.EAGAIN)}, false, "restarted", "", "restarted"},
		"killed":                   {End{Ret: errno(syscall.EAGAIN), Task: TaskInterrupted | TaskDying, Signal: 9}, false, "killed", "signal", "killed"},
		"killed, log not copied":   {End{Ret: errno(syscall.EFAULT), Task: TaskDying, Signal: 15}, false, "killed", "signal", "killed"},
		"OOM":                      {End{Ret: errno(syscall.ENOMEM), Failures: 2, Task: TaskDying | TaskOOMVictim, Signal: 9}, false, "killed", "oom", "killed"},
		"exec":                     {End{Ret: errno(syscall.EAGAIN), Task: TaskDying | TaskExec}, false, "killed", "exec", "killed"},
		"exit":                     {End{Ret: errno(syscall.EAGAIN), Task: TaskDying}, false, "killed", "exit", "killed"},
	} {
		t.Run(name, func(t *testing.T) {
			c.end.Returned = true
			r := &record.Verification{ReachedVerifier: !c.unseen}
			describeOutcome(r, &c.end)
			if r.Outcome != c.want || r.KilledBy != c.by || r.Verdict != c.verdict {
				t.Errorf("outcome %s, killed by %q, verdict %s", r.Outcome, r.KilledBy, r.Verdict)
			}
			if wantErrno := max(0, int(-c.end.Ret)); r.Errno != wantErrno {
				t.Errorf("errno %d, want %d", r.Errno, wantErrno)
			}
		})
	}
	t.Run("not seen to return", func(t *testing.T) {
		r := &record.Verification{ReachedVerifier: true}
		describeOutcome(r, &End{Task: TaskDying, Ret: errno(syscall.EAGAIN)})
		if r.Outcome != record.OutcomeIncomplete || r.Verdict != record.VerdictIncomplete || r.Errno != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestFailedAllocs(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	l := s.startLoad(1)
	site := s.text.at("push_stack", 0x42)
	for _, function := range []string{"push_stack", "copy_verifier_state", "push_stack"} {
		s.add(Event{Kind: KindFailed, Verification: l.id, CallSite: s.text.at(function, 0x42), Requested: s.kernel.StackElem, Source: SourceKmalloc})
	}
	v := l.finish(ret(-int64(syscall.ENOMEM)), func(e *End) {
		e.Failures, e.FailedEvents = 3, 3
		e.FirstFailed = Failed{CallSite: site, Requested: s.kernel.StackElem, GFP: 0x400dc0, Source: SourceKmalloc}
	})
	wantExact(t, v)
	if v.FailedAllocs != 3 || v.Outcome != record.OutcomeOutOfMemory {
		t.Errorf("%d failed, outcome %s", v.FailedAllocs, v.Outcome)
	}
	want := &record.FailedAlloc{Type: "stack_elem", CallSite: "push_stack+0x42", Source: "kmalloc", Requested: s.kernel.StackElem, GFP: 0x400dc0}
	if diff := cmp.Diff(want, v.FirstFailedAlloc); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]record.Count{{Name: "push_stack+0x42", Count: 2}, {Name: "copy_verifier_state+0x42", Count: 1}}, v.FailedSites); diff != "" {
		t.Error(diff)
	}
}

// The event of a failed allocation that did not come is missed as any other. One ahead of env's
// allocation has none.
func TestFailedAllocMissing(t *testing.T) {
	for sent, dropped := range map[uint64]uint64{2: 0, 1: 0, 3: 1} {
		s := newStream(t, kernel6_18, Options{})
		l := s.startLoad(1)
		s.none(Event{Kind: KindFailed, Verification: l.id, CallSite: s.text.at("push_stack", 0x42), Requested: 64, Source: SourceKmalloc})
		v := l.finish(ret(-int64(syscall.ENOMEM)), func(e *End) {
			e.Failures, e.FailedEvents, e.Dropped = sent+1, sent, dropped
		})
		switch got := losses(v); {
		case sent == 1:
			wantExact(t, v)
		case v.Exact || got[record.LossEventsMissing] != 1 || got[record.LossRingFull] != dropped:
			t.Errorf("%d sent, %d dropped, 1 received: exact %v, losses %v", sent, dropped, v.Exact, got)
		}
	}
}
