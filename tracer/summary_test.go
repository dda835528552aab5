package tracer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestSummary(t *testing.T) {
	tracer := tracerOn(newFakeSource(), Config{})
	tracer.started = time.Now()
	if s := tracer.Summary(); s.Verdicts == nil || s.Losses == nil || s.LatencyCoverage != 0 || s.Simultaneous != nil || s.Kind != "summary" {
		t.Errorf("of nothing: %+v", s)
	}
	for _, v := range []*record.Verification{
		{
			ReachedVerifier: true, ProgTag: "a04f5eef06a7f555", Verdict: record.VerdictAccepted, Outcome: record.OutcomeAccepted, Exact: true, VerifierStats: record.VerifierStats{TotalStates: 5}, Allocs: 30, BytesRequested: 100,
			BytesAllocated: 128, AllocTimeNS: 900, DurationNS: 1000, LatencyCoverage: 1,
		},
		{
			ReachedVerifier: true, Verdict: record.VerdictRejected, Outcome: record.OutcomeRejected, VerifierStats: record.VerifierStats{TotalStates: 2}, Allocs: 10, BytesRequested: 10,
			BytesAllocated: 16, AllocTimeNS: 100, DurationNS: 500,
		},
		{Verdict: record.VerdictRejected, Outcome: record.OutcomeRefused},
		// An orphan: it may have reached the verifier.
		{Verdict: record.VerdictIncomplete, Outcome: record.OutcomeIncomplete, Lossy: []record.Loss{{Reason: record.LossIncomplete, Count: 1}}},
		// What it did may have been hidden.
		{Verdict: record.VerdictRejected, Outcome: record.OutcomeRefused, Lossy: []record.Loss{{Reason: record.LossBlind, Count: 1}}},
	} {
		tracer.count(v)
	}
	tracer.losses = bpf.VeriallocLossCounts{RingFull: 3, Orphans: 1}
	tracer.misses = 2
	got := tracer.Summary()
	if got.TimeUnixNS == 0 {
		t.Error("no time")
	}
	want := record.Summary{
		Head: record.NewHead(record.KindSummary), TimeUnixNS: got.TimeUnixNS, DurationNS: got.DurationNS,
		Verifications: 5,
		Verdicts:      map[record.Verdict]uint64{record.VerdictAccepted: 1, record.VerdictRejected: 3, record.VerdictIncomplete: 1},
		Outcomes: map[record.Outcome]uint64{
			record.OutcomeAccepted: 1, record.OutcomeRejected: 1, record.OutcomeRefused: 2, record.OutcomeIncomplete: 1,
		},
		Unverified: 1, ResultsUnread: 1, Exact: 1, TotalStates: 7, Allocs: 40, BytesRequested: 110, BytesAllocated: 144,
		AllocTimeNS: 1000, DurationSumNS: 1500, LatencyCoverage: 0.75, RingBytes: 1 << 16,
		Losses: []record.Loss{
			{Reason: record.LossRingFull, Count: 3}, {Reason: record.LossOrphans, Count: 1}, {Reason: record.LossRecursion, Count: 2},
		},
	}
	tracer.count(&record.Verification{Verdict: record.VerdictAccepted, Outcome: record.OutcomeAccepted}) // after it was taken
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary differs (-want +got):\n%s", diff)
	}
}

// The most that was held at once is the least that there was where a load still goes on, none
// of a class is seen, or a loss left one without a record.
func TestSummarySimultaneous(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(*Tracer)
		exact  bool
		starts []uint64 // of loads that go on
	}{
		{"whole", func(*Tracer) {}, true, nil},
		{"one goes on", func(*Tracer) {}, false, []uint64{2}},
		{"a class is unseen", func(t *Tracer) { t.environment.UnseenLoads = []record.LoadClass{record.LoadsOfKernel} }, false, nil},
		{"a start was lost", func(t *Tracer) { t.losses.Starts = 1 }, false, nil},
	} {
		tracer := tracerOn(newFakeSource(), Config{})
		tracer.assembler = assemble.New(tracer.kernel.facts, tracer.kernel.symbols, assemble.Options{}) // with names
		start := func(id uint64) {
			tracer.assembler.Add(&assemble.Event{
				Kind: assemble.KindStart, Verification: id, TID: uint32(id), TimeNS: id, Start: &assemble.Start{},
			})
		}
		start(1)
		for _, id := range c.starts {
			start(id)
		}
		done := tracer.assembler.Add(&assemble.Event{
			Kind: assemble.KindEnd, Verification: 1, TID: 1, TimeNS: 9,
			End: &assemble.End{Returned: true, Ret: 5, ReleaseNS: 8, Result: assemble.Result{Valid: true}},
		})
		if len(done) != 1 || !done[0].Exact {
			t.Fatalf("%s: %d records, want an exact one: %+v", c.name, len(done), done)
		}
		c.spoil(tracer)
		if got := tracer.Summary().Simultaneous; got == nil || got.Exact != c.exact || got.LeftOut != 0 {
			t.Errorf("%s: %+v, want exact %v", c.name, got, c.exact)
		}
	}
}
