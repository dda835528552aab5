package table

import (
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestVerdictText(t *testing.T) {
	for want, v := range map[string]record.Verification{
		"accepted":             {Verdict: record.VerdictAccepted, Outcome: record.OutcomeAccepted},
		"rejected EACCES":      {Verdict: record.VerdictRejected, Outcome: record.OutcomeRejected, Errno: 13},
		"refused EPERM":        {Verdict: record.VerdictRejected, Outcome: record.OutcomeRefused, Errno: 1},
		"no descriptor EMFILE": {Verdict: record.VerdictRejected, Outcome: record.OutcomeNoDescriptor, Errno: 24},
		"restarted EAGAIN":     {Verdict: record.VerdictRestarted, Outcome: record.OutcomeRestarted, Errno: 11},
		"killed SIGKILL":       {Verdict: record.VerdictKilled, Outcome: record.OutcomeKilled, KilledBy: record.KilledBySignal, Signal: 9, Errno: 11},
		"killed by oom":        {Verdict: record.VerdictKilled, Outcome: record.OutcomeKilled, KilledBy: record.KilledByOOM, Signal: 9, Errno: 12},
		"killed signal 35":     {Verdict: record.VerdictKilled, Outcome: record.OutcomeKilled, KilledBy: record.KilledBySignal, Signal: 35, Errno: 11},
		"killed by exit":       {Verdict: record.VerdictKilled, Outcome: record.OutcomeKilled, KilledBy: record.KilledByExit, Errno: 11},
		"killed by exec":       {Verdict: record.VerdictKilled, Outcome: record.OutcomeKilled, KilledBy: record.KilledByExec, Errno: 11},
		"out of memory":        {Verdict: record.VerdictRejected, Outcome: record.OutcomeOutOfMemory, Errno: 12},
		"rejected E2BIG":       {Verdict: record.VerdictRejected, Errno: 7}, // of an earlier version
	} {
		if got := verdictText(&v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDroppedText(t *testing.T) {
	for dropped, want := range map[uint64]string{
		0: "", 1: "  1 more event: too many to wait for the end of the load\n",
		1200: "  1200 more events: too many to wait for the end of the load\n",
	} {
		if got := droppedText(&record.Verification{EventsDropped: dropped}); got != want {
			t.Errorf("%d: %q, want %q", dropped, got, want)
		}
	}
}
