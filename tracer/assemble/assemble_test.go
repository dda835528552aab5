package assemble

import (
	"slices"
	"syscall"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name    string
		tweak   func(*End)
		verdict record.Verdict
		errno   int
		exact   bool
	}{
		{"a file descriptor", ret(5), record.VerdictAccepted, 0, true},
		{"descriptor 0", ret(0), record.VerdictAccepted, 0, true},
		{"EACCES", ret(-int64(syscall.EACCES)), record.VerdictRejected, int(syscall.EACCES), true},
		{"E2BIG", ret(-int64(syscall.E2BIG)), record.VerdictRejected, int(syscall.E2BIG), true},
		{"EAGAIN", ret(-int64(syscall.EAGAIN)), record.VerdictRestarted, int(syscall.EAGAIN), true},
		{"no return", func(e *End) { e.Returned, e.Ret = false, 0 }, record.VerdictIncomplete, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, kernel6_18, Options{}).startLoad(1)
			l.subprogram(2, 1)
			v := l.peak(2).finish(c.tweak)
			if v.Verdict != c.verdict || v.Errno != c.errno || v.Exact != c.exact || !v.ReachedVerifier {
				t.Errorf("got %s, errno %d, exact %v, reached %v", v.Verdict, v.Errno, v.Exact, v.ReachedVerifier)
			}
			if (v.Verdict == record.VerdictIncomplete) != (v.IncompleteReason != "") {
				t.Errorf("%s for the reason %q", v.Verdict, v.IncompleteReason)
			}
			checkSums(t, v)
		})
	}
}

// Each event of an end finds its way into the record.
func TestEndIsTold(t *testing.T) {
	s := newStream(t, kernel7_3, Options{
		UnixOffsetNS: 5e9,
		ProgType:     func(n uint32) string { return map[uint32]string{1: "socket_filter"}[n] },
	})
	l := s.startLoad(1)
	l.visit(1, 30)
	l.visit(0, 40)
	l.visit(-int32(syscall.ENOMEM), 50)
	l.end.EnterNS, l.end.BeginNS = 900, 1000
	l.end.Usage = Usage{MinorFaults: 3, MajorFaults: 2, VoluntarySwitches: 4, InvoluntarySwitches: 5, OffCPUNS: 2900}
	l.end.Request.AttachType, l.end.Result.AttachType = 9, 9
	v := l.finish(func(e *End) { e.ReleaseNS = 4000 })
	if v.TimeUnixNS != 5e9+1000 || v.DurationNS != 3000 || v.SyscallNS != s.clock-900 || v.VerifierTimeNS != 900 {
		t.Errorf("times: start %d, duration %d, syscall %d, verifier %d", v.TimeUnixNS, v.DurationNS, v.SyscallNS, v.VerifierTimeNS)
	}
	if v.PageFaults != 5 || v.MajorFaults != 2 || v.ContextSwitches != 9 || v.Preemptions != 5 {
		t.Errorf("usage: %d faults, %d major, %d switches, %d preemptions", v.PageFaults, v.MajorFaults, v.ContextSwitches, v.Preemptions)
	}
	if v.CPUTimeNS != 100 {
		t.Errorf("CPU time %d, want 3000 less 2900", v.CPUTimeNS)
	}
	if v.Visits == nil || v.Visits.Count != 3 || v.Visits.PruneHits != 1 || v.Visits.Missed != 0 || v.Visits.Latency.SumNS != 120 {
		t.Errorf("visits: %+v", v.Visits)
	}
	if v.ProgName != "prog" || v.ProgType != "socket_filter" || v.AttachType != 9 || v.InsnCount != 12 || v.XlatedInsns != 14 ||
		v.ProgTag != "dead000000000001" || v.Subprograms != 1 {
		t.Errorf("program: %+v", v)
	}
	if v.PID != 42 || v.TID != 1 || v.UID != 1000 || v.Comm != "loader" || v.CgroupID != 7 {
		t.Errorf("task: %+v", v)
	}
	wantExact(t, v)
}

func TestVisits(t *testing.T) {
	t.Run("not probed", func(t *testing.T) {
		if v := newStream(t, kernel6_18, Options{}).startLoad(1).finish(); v.Visits != nil {
			t.Errorf("visits %+v where none can be seen", v.Visits)
		}
	})
	t.Run("returns missed", func(t *testing.T) {
		l := newStream(t, kernel7_3, Options{}).startLoad(1)
		l.visit(0, 10)
		l.end.VisitEntries = 4
		v := l.finish()
		if v.Visits == nil || v.Visits.Count != 4 || v.Visits.Missed != 3 || v.Visits.Latency.Count != 1 {
			t.Errorf("got %+v", v.Visits)
		}
	})
}

// A bpf_attr that was not in memory leaves the request empty: then env tells.
func TestProgramFromResult(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	env := s.fresh()
	s.none(Event{Kind: KindStart, TID: 1, Verification: 1, Start: &Start{Env: env}})
	done := s.add(Event{Kind: KindEnd, TID: 1, Verification: 1, End: &End{
		Returned: true, ReleaseNS: s.clock,
		Result: Result{Valid: true, Name: "from_env", ProgType: 6, AttachType: 3},
	}})
	if len(done) != 1 || done[0].ProgName != "from_env" || done[0].ProgType != "6" || done[0].AttachType != 3 {
		t.Errorf("got %+v", done[0])
	}
}

func TestUnverifiedLoad(t *testing.T) {
	s := newStream(t, kernel6_18, Options{UnixOffsetNS: 1000})
	end := End{
		Request: Request{Name: "bad", ProgType: 2, InsnCount: 1, Inputs: fromKernel}, PID: 3, UID: 4, Comm: "c", CgroupID: 5,
		EnterNS: 500, Returned: true, Ret: -int64(syscall.EPERM),
	}
	done := s.add(Event{Kind: KindEnd, TID: 9, TimeNS: 700, End: &end})
	if len(done) != 1 {
		t.Fatalf("%d records, want 1", len(done))
	}
	v := done[0]
	if v.ID != 0 || v.ReachedVerifier || v.Exact || len(v.Lossy) != 0 || v.Verdict != record.VerdictRejected ||
		v.Errno != int(syscall.EPERM) || v.TimeUnixNS != 1500 || v.SyscallNS != 200 || v.ProgName != "bad" || v.TID != 9 {
		t.Errorf("got %+v", v)
	}
	checkSums(t, v)

	// Without its entry it begins when it returns.
	end.EnterNS = 0
	if v := s.add(Event{Kind: KindEnd, TID: 9, TimeNS: 800, End: &end})[0]; v.TimeUnixNS != 1800 || v.SyscallNS != 0 {
		t.Errorf("without entry: starts at %d, took %d", v.TimeUnixNS, v.SyscallNS)
	}
}

// A load that reached the verifier is not passed off as one with nothing to see.
func TestVerificationMissed(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	for _, c := range []struct {
		name    string
		end     End
		reached bool
		losses  []string
	}{
		{"rejected by the verifier", End{BeginNS: 20, Ret: -int64(syscall.EACCES)}, true, []string{record.LossStartMissed}},
		{"no memory for its env", End{BeginNS: 20, Ret: -int64(syscall.ENOMEM)}, false, nil},
		{"accepted", End{Ret: 3}, true, []string{record.LossStartMissed}},
		{"hidden", End{Ret: -int64(syscall.EACCES), Blind: 2}, false, []string{record.LossBlind}},
	} {
		c.end.Returned = true
		v := s.add(Event{Kind: KindEnd, TID: 9, End: &c.end})[0]
		var losses []string
		for _, l := range v.Lossy {
			losses = append(losses, l.Reason)
		}
		if v.ReachedVerifier != c.reached || v.Exact || !slices.Equal(losses, c.losses) {
			t.Errorf("%s: reached the verifier: %v, exact: %v, lossy: %v", c.name, v.ReachedVerifier, v.Exact, losses)
		}
	}
}

// The task's counters are differences once the release was seen, and unknown before.
func TestUsageWithoutRelease(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	usage := Usage{MinorFaults: 1000, MajorFaults: 2, VoluntarySwitches: 30, InvoluntarySwitches: 4, OffCPUNS: 5}
	s.none(Event{Kind: KindStart, TID: 1, Verification: 1, Start: &Start{Env: 0xffff888000001000}})
	v := s.add(Event{Kind: KindEnd, TID: 1, Verification: 1, End: &End{Returned: true, Usage: usage}})[0]
	if v.PageFaults != 0 || v.MajorFaults != 0 || v.ContextSwitches != 0 || v.Preemptions != 0 || v.CPUTimeNS != 0 {
		t.Errorf("%d and %d faults, %d and %d switches, %d ns", v.PageFaults, v.MajorFaults, v.ContextSwitches, v.Preemptions, v.CPUTimeNS)
	}
}

func TestCPUTime(t *testing.T) {
	for name, c := range map[string]struct{ off, want uint64 }{
		"never off":         {0, 3000},
		"a little off":      {1, 2999},
		"longer than it is": {3000, 0}, // not known
	} {
		s := newStream(t, kernel6_18, Options{})
		l := s.startLoad(1)
		l.end.EnterNS, l.end.BeginNS = 900, 1000
		l.end.Usage = Usage{OffCPUNS: c.off}
		if v := l.finish(func(e *End) { e.ReleaseNS = 4000 }); v.CPUTimeNS != c.want {
			t.Errorf("%s: %d, want %d", name, v.CPUTimeNS, c.want)
		}
	}
}

func TestOrphan(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	done := s.add(Event{Kind: KindOrphan, TID: 9, End: &End{PID: 3, Returned: true, Ret: 4}})
	if len(done) != 1 {
		t.Fatalf("%d records, want 1", len(done))
	}
	v := done[0]
	if v.ID != 0 || v.Verdict != record.VerdictIncomplete || v.IncompleteReason == "" || v.ReachedVerifier {
		t.Errorf("got %+v", v)
	}
	wantLoss(t, v, record.LossIncomplete, 1)
	checkSums(t, v)
}

// The next start in a thread shows that the end of the last one was lost.
func TestEndLost(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	first := s.startLoad(1)
	other := s.startLoad(2)
	p := first.alloc("check_cfg", 64)
	second, done := s.startAfter(1)
	if len(done) != 1 || done[0].ID != first.id {
		t.Fatalf("completed %v, want %d alone", done, first.id)
	}
	v := done[0]
	if v.Verdict != record.VerdictIncomplete || v.IncompleteReason != "its end was lost" || v.Allocs != 2 || v.Outlived != 2 {
		t.Errorf("got %s (%s), %d allocations, %d left", v.Verdict, v.IncompleteReason, v.Allocs, v.Outlived)
	}
	wantLoss(t, v, record.LossIncomplete, 1)
	checkSums(t, v)

	// What still comes of the first one is passed over.
	first.free(p, "check_cfg")
	if done := s.add(Event{Kind: KindEnd, TID: 1, Verification: first.id, End: &first.end}); len(done) != 0 {
		t.Errorf("yielded again: %+v", done[0])
	}
	wantExact(t, second.finish())
	wantExact(t, other.finish())
}

// The kernel side numbers verifications once; if it did not, none would vanish.
func TestNumberGivenAgain(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	first := s.startLoad(1)
	s.lastID--
	second, done := s.startAfter(2)
	if len(done) != 1 || done[0].TID != first.tid || done[0].Verdict != record.VerdictIncomplete {
		t.Errorf("completed %v, want that of thread %d as incomplete", done, first.tid)
	}
	wantExact(t, second.finish())
	wantExact(t, s.startLoad(1).finish())
}

func TestFinish(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	a, b, c := s.startLoad(3), s.startLoad(1), s.startLoad(2)
	wantExact(t, b.finish())
	rs := s.Finish("the tracer ended")
	if len(rs) != 2 || rs[0].ID != a.id || rs[1].ID != c.id {
		t.Fatalf("got %d records, want those of %d and %d in this order", len(rs), a.id, c.id)
	}
	for _, v := range rs {
		if v.Verdict != record.VerdictIncomplete || v.IncompleteReason != "the tracer ended" || v.Allocs != 1 {
			t.Errorf("got %s (%s), %d allocations", v.Verdict, v.IncompleteReason, v.Allocs)
		}
		wantLoss(t, v, record.LossIncomplete, 1)
	}
	if again := s.Finish("again"); len(again) != 0 {
		t.Errorf("the second Finish gives %d records", len(again))
	}
	// The threads are free for others.
	wantExact(t, s.startLoad(3).finish())
}

// Nothing partial comes of a verification whose start did not fit.
func TestStartLost(t *testing.T) {
	var events int
	s := newStream(t, kernel6_18, Options{OnEvent: func(*record.Event) { events++ }})
	l := &load{s: s, id: 77, tid: 1}
	p := l.alloc("do_check_common", kernel6_18.StateList)
	l.visit(0, 10)
	l.free(p, "free_states")
	s.none(Event{Kind: KindEnd, TID: 1, Verification: 77, End: &l.end})
	if rs := s.Finish("end"); len(rs) != 0 || events != 0 {
		t.Errorf("%d records and %d events of an unknown verification", len(rs), events)
	}
}

func TestWant(t *testing.T) {
	var events int
	s := newStream(t, kernel6_18, Options{
		Want:    func(r Request) bool { return r.Name == "wanted" },
		OnEvent: func(*record.Event) { events++ },
	})
	begin := func(id uint64, tid uint32, name string) []*record.Verification {
		return s.add(Event{Kind: KindStart, TID: tid, Verification: id, Start: &Start{Request: Request{Name: name, InsnCount: 1, Inputs: fromKernel}}})
	}
	if begin(1, 1, "other"); len(s.add(Event{Kind: KindEnd, TID: 1, Verification: 1, End: &End{Returned: true}})) != 0 {
		t.Error("a verification that is not wanted was yielded")
	}
	s.none(Event{Kind: KindAlloc, TID: 1, Verification: 1, Pointer: 0x1000, Requested: 8, Allocated: 8})
	for _, kind := range []Kind{KindEnd, KindOrphan} {
		for name, want := range map[string]int{"other": 0, "wanted": 1} {
			end := &End{Request: Request{Name: name, InsnCount: 1, Inputs: fromKernel}, Returned: true, Ret: -1}
			if done := s.add(Event{Kind: kind, TID: 1, End: end}); len(done) != want {
				t.Errorf("kind %d of %q without a verification: %d records, want %d", kind, name, len(done), want)
			}
		}
	}
	// One that is not wanted still shows that the last one's end was lost.
	begin(2, 1, "wanted")
	if done := begin(3, 1, "other"); len(done) != 1 || done[0].ID != 2 {
		t.Errorf("completed %v, want 2", done)
	}
	if done := begin(4, 1, "wanted"); len(done) != 0 {
		t.Errorf("completed %v, want none", done)
	}
	if events != 0 {
		t.Errorf("%d events of what is not wanted", events)
	}
}

func TestLosses(t *testing.T) {
	for _, c := range []struct {
		name   string
		events func(l *load)
		reason string
		count  uint64
	}{
		{"ring full", func(l *load) { l.end.Dropped = 3 }, record.LossRingFull, 3},
		{"blind", func(l *load) { l.end.Blind = 3 }, record.LossBlind, 3},
		{"allocations not received", func(l *load) { l.end.Allocs += 2 }, record.LossEventsMissing, 2},
		{"frees not received", func(l *load) { l.end.Frees += 4 }, record.LossEventsMissing, 4},
		{"both", func(l *load) { l.end.Allocs++; l.end.Frees += 4 }, record.LossEventsMissing, 5},
		{"more received than sent", func(l *load) { l.end.Allocs-- }, record.LossEventsMissing, 1},
		{"a state not seen", func(l *load) { l.end.Result.TotalStates += 2 }, record.LossTotalStates, 2},
		{"a state too many", func(l *load) { l.end.Result.TotalStates-- }, record.LossTotalStates, 1},
		{"peak", func(l *load) { l.end.Result.PeakStates += 7 }, record.LossPeakStates, 7},
		{"env not read", func(l *load) { l.end.Result = Result{} }, record.LossNoResult, 1},
		{"an object is left", func(l *load) { l.alloc("copy_verifier_state", l.s.kernel.FuncState) }, record.LossUnfreed, 1},
		{"handed out again", func(l *load) {
			p := l.alloc("push_stack", l.s.kernel.StackElem)
			l.allocAt(p, "btf_parse", 64)
		}, record.LossUnseenFrees, 1},
		{"a free without its allocation", func(l *load) {
			l.free(l.s.fresh(), "free_states") // where lists are freed
			l.free(l.s.fresh(), "free_states")
		}, record.LossUnmatchedFrees, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, kernel6_18, Options{}).startLoad(1)
			l.subprogram(3, 1)
			l.peak(3)
			c.events(l)
			v := l.finish()
			wantLoss(t, v, c.reason, c.count)
			checkSums(t, v)
		})
	}
}

func TestReleaseNotSeen(t *testing.T) {
	l := newStream(t, kernel6_18, Options{}).startLoad(1)
	v := l.finishBare()
	wantLoss(t, v, record.LossNoResult, 1)
	if v.DurationNS != 0 || v.XlatedInsns != 0 {
		t.Errorf("duration %d, %d instructions of an env that was not seen released", v.DurationNS, v.XlatedInsns)
	}
}

// These come with the verifier's ordinary work and are no loss.
func TestNoLoss(t *testing.T) {
	for _, c := range []struct {
		name   string
		events func(l *load)
		check  func(v *record.Verification) bool
	}{
		{"a foreign free elsewhere", func(l *load) {
			l.free(l.s.fresh(), "kvfree_rcu_bulk")
			l.free(l.s.fresh(), "kvfree_rcu_bulk")
		}, func(v *record.Verification) bool { return v.ForeignFrees == 2 && v.Frees == 7 }},
		{
			"what may outlive env is left", func(l *load) { l.alloc("btf_parse", 64) },
			func(v *record.Verification) bool { return v.Outlived == 1 },
		},
		{"its pointer comes again", func(l *load) {
			p := l.alloc("btf_parse", 64)
			l.allocAt(p, "btf_parse", 64)
			l.free(p, "btf_parse")
		}, func(v *record.Verification) bool {
			g := groupOf(v.Types, "btf_parse")
			return g.Allocs == 2 && g.Frees == 2 && g.PeakLive == 1 && v.ForeignFrees == 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, kernel6_18, Options{}).startLoad(1)
			l.subprogram(3, 1)
			c.events(l)
			v := l.peak(3).finish()
			wantExact(t, v)
			if !c.check(v) {
				t.Errorf("got %+v", v)
			}
			checkSums(t, v)
		})
	}
}

// A free of an unknown pointer counts as unmatched once its call site is known to
// free the verifier's own objects, be it known before or after.
func TestUnmatchedFreeBeforeItsSiteIsKnown(t *testing.T) {
	l := newStream(t, kernel6_18, Options{}).startLoad(1)
	l.free(l.s.fresh(), "free_states")
	l.subprogram(1, 0)
	wantLoss(t, l.peak(1).finish(), record.LossUnmatchedFrees, 1)
}

// The kernel reports a large kmalloc from within the allocator and then by its caller.
func TestLargeKmallocIsReportedTwice(t *testing.T) {
	type report struct {
		function  string
		requested uint64
		latency   uint64
		fresh     bool // at another pointer
	}
	for _, c := range []struct {
		name    string
		reports []report
		allocs  uint64
		sites   []string
		latency uint64 // sum
		covered uint64
	}{
		{
			"the caller's call site, the first latency",
			[]report{{"inner", 9000, 70, false}, {"outer", 9000, LatencyNone, false}},
			1,
			[]string{"outer+0x42"},
			70, 1,
		},
		{
			"the latency comes with the second",
			[]report{{"inner", 9000, LatencyNone, false}, {"outer", 9000, 80, false}},
			1,
			[]string{"outer+0x42"},
			80, 1,
		},
		{"no latency", []report{{"inner", 9000, LatencyNone, false}, {"outer", 9000, LatencyNone, false}}, 1, []string{"outer+0x42"}, 0, 0},
		{"reported once", []report{{"outer", 9000, 70, false}}, 1, []string{"outer+0x42"}, 70, 1},
		{
			"another size is another object",
			[]report{{"inner", 9000, 70, false}, {"outer", 9001, 80, false}},
			2,
			[]string{"inner+0x42", "outer+0x42"},
			150, 2,
		},
		{
			"another pointer is another object",
			[]report{{"inner", 9000, 70, false}, {"outer", 9000, 80, true}},
			2,
			[]string{"inner+0x42", "outer+0x42"},
			150, 2,
		},
		{
			"a third is another object",
			[]report{{"inner", 9000, 70, false}, {"outer", 9000, LatencyNone, false}, {"third", 9000, 5, false}},
			2,
			[]string{"outer+0x42", "third+0x42"},
			75, 2,
		},
		{
			"a small kmalloc is reported once",
			[]report{{"inner", 8192, 70, false}, {"outer", 8192, 80, false}},
			2,
			[]string{"inner+0x42", "outer+0x42"},
			150, 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			kernel := kernel6_1 // its env is no large kmalloc
			l := newStream(t, kernel, Options{}).startLoad(1)
			p := l.s.fresh()
			for _, e := range c.reports {
				if e.fresh {
					p = l.s.fresh()
				}
				l.allocAt(p, e.function, e.requested, func(event *Event) { event.LatencyNS = e.latency })
			}
			l.free(p, "kfree_caller")
			v := l.finish()
			wantExact(t, v)
			want := append([]string{"bpf_check+0x42"}, c.sites...)
			if v.Allocs != c.allocs+1 || !slices.Equal(names(v.Sites), want) {
				t.Errorf("%d allocations at %v, want %d at %v", v.Allocs, names(v.Sites), c.allocs+1, want)
			}
			if v.AllocTimeNS != c.latency+50 || v.Latency.Count != c.covered+1 {
				t.Errorf("%d latencies of %d ns, want %d of %d", v.Latency.Count, v.AllocTimeNS, c.covered+1, c.latency+50)
			}
			checkSums(t, v)
		})
	}
}

// An allocation that is held back for a second report comes out whatever event follows.
func TestHeldAllocation(t *testing.T) {
	for name, follow := range map[string]func(l *load) *record.Verification{
		"end":    func(l *load) *record.Verification { return l.finishBare() },
		"finish": func(l *load) *record.Verification { return l.s.Finish("over")[0] },
		"start": func(l *load) *record.Verification {
			_, done := l.s.startAfter(1)
			return done[0]
		},
		"another allocation": func(l *load) *record.Verification {
			l.free(l.alloc("check_cfg", 8), "check_cfg")
			return l.finishBare()
		},
		"its free": func(l *load) *record.Verification {
			l.free(l.s.pointer, "check_cfg")
			return l.finishBare()
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newStream(t, kernel6_1, Options{}).startLoad(1)
			l.alloc("outer", 9000)
			v := follow(l)
			if g := groupOf(v.Sites, "outer+0x42"); g.Allocs != 1 || g.BytesRequested != 9000 || g.BytesAllocated != 16384 {
				t.Errorf("got %+v", g)
			}
			if v.ForeignFrees != 0 {
				t.Error("its free was not recognised")
			}
			checkSums(t, v)
		})
	}
}

func TestLatencyCoverage(t *testing.T) {
	l := newStream(t, kernel6_1, Options{}).startLoad(1)
	l.alloc("btf_parse", 8, func(e *Event) { e.LatencyNS = LatencyNone })
	l.alloc("btf_parse", 8, func(e *Event) { e.LatencyNS = LatencyNone })
	l.alloc("btf_parse", 8, func(e *Event) { e.LatencyNS = 0 })
	v := l.finish()
	if v.LatencyCoverage != 0.5 || v.Latency.Count != 2 || v.AllocTimeNS != 50 {
		t.Errorf("coverage %v, %d latencies, %d ns in all", v.LatencyCoverage, v.Latency.Count, v.AllocTimeNS)
	}
	if g := groupOf(v.Types, "btf_parse"); g.Latency.Count != 1 || g.Latency.MaxNS != 0 {
		t.Errorf("btf_parse: %+v", g.Latency)
	}
	wantExact(t, v)
}

// Two verifications in two threads keep apart, even with one pointer in turn.
func TestInterleaving(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	a, b := s.startLoad(1), s.startLoad(2)
	a.subprogram(2, 0)
	p := s.fresh()
	a.allocAt(p, "check_cfg", 64)
	b.subprogram(5, 1)
	a.free(p, "check_cfg")
	b.allocAt(p, "check_cfg", 64)
	// A large kmalloc of one is not held against the other's.
	q := s.fresh()
	a.allocAt(q, "outer", 9000)
	b.allocAt(p+8, "outer", 9000)
	b.free(p, "check_cfg")
	a.subprogram(1, 0)
	vb := b.peak(5).finish()
	va := a.peak(3).finish()
	for _, c := range []struct {
		v              *record.Verification
		id             uint64
		allocs, states uint64
	}{{va, a.id, 12, 3}, {vb, b.id, 11, 5}} {
		wantExact(t, c.v)
		checkSums(t, c.v)
		if c.v.ID != c.id || c.v.Allocs != c.allocs || c.v.StateListAllocs != c.states || c.v.ForeignFrees != 0 {
			t.Errorf("verification %d: %d allocations, %d states, %d foreign frees; want %d: %d, %d, 0",
				c.v.ID, c.v.Allocs, c.v.StateListAllocs, c.v.ForeignFrees, c.id, c.allocs, c.states)
		}
	}
}

// A skipped probe may have lost an event of any verification that was going on.
func TestMissed(t *testing.T) {
	var missed uint64
	var s *stream
	s = newStream(t, kernel6_18, Options{Missed: func() (uint64, uint64) { return missed, s.clock }})
	wantExact(t, s.startLoad(1).finish())
	a, b, c := s.startLoad(1), s.startLoad(2), s.startLoad(3)
	missed = 3
	wantLoss(t, a.finish(), record.LossRecursion, 3)
	missed = 5
	wantLoss(t, b.finish(), record.LossRecursion, 5)
	later := s.startLoad(1)
	rs := s.Finish("over")
	if len(rs) != 2 || losses(rs[0])[record.LossRecursion] != 5 || losses(rs[1])[record.LossRecursion] != 0 {
		t.Errorf("at Finish: %+v, want 5 misses for %d and none for %d", rs, c.id, later.id)
	}
	wantExact(t, s.startLoad(1).finish())
}

// A start that waited in the ring buffer while misses were counted is charged with
// them: they may have been its own.
func TestMissedBeforeStartWasRead(t *testing.T) {
	var missed, lookedAt uint64
	s := newStream(t, kernel6_18, Options{Missed: func() (uint64, uint64) { return missed, lookedAt }})
	a := s.startLoad(1)
	missed, lookedAt = 2, s.clock+1_000_000
	wantLoss(t, a.finish(), record.LossRecursion, 2)
	wantLoss(t, s.startLoad(2).finish(), record.LossRecursion, 2)
}

// Without names no object has a type, and nothing is exact, not even nothing.
func TestNameless(t *testing.T) {
	s := newStream(t, kernel6_18, Options{Nameless: true})
	wantLoss(t, s.startLoad(1).finish(), record.LossSitesUnresolved, 1)
}

// Bytes charged to the cgroup are counted apart.
func TestAccountedPeak(t *testing.T) {
	l := newStream(t, kernel6_1, Options{}).startLoad(1) // env: 8192 bytes
	account := func(e *Event) { e.GFP |= gfpAccount }
	p := l.alloc("check_cfg", 1024, account)
	l.free(p, "check_cfg")
	l.alloc("check_cfg", 512, account)
	l.alloc("check_cfg", 256)
	v := l.finish()
	if v.PeakLiveAccountedBytes != 1024 || v.PeakLiveBytes != 8192+1024 {
		t.Errorf("peak of %d bytes, %d accounted, want 9216 and 1024", v.PeakLiveBytes, v.PeakLiveAccountedBytes)
	}
	if g := groupOf(v.Sites, "check_cfg+0x42"); g.Allocs != 3 || g.PeakLive != 2 || g.PeakLiveBytes != 1024 {
		t.Errorf("one site, accounted or not: %+v", g)
	}
	checkSums(t, v)
}

// A load that was accepted was verified, whether or not that was seen.
func TestStartMissed(t *testing.T) {
	s := newStream(t, kernel6_18, Options{})
	rs := s.Add(&Event{Kind: KindEnd, TID: 1, TimeNS: 9, End: &End{Returned: true, Ret: 5, Comm: "loader"}})
	if len(rs) != 1 {
		t.Fatalf("%d records", len(rs))
	}
	if v := rs[0]; v.Verdict != record.VerdictAccepted || !v.ReachedVerifier || v.Exact || losses(v)[record.LossStartMissed] != 1 {
		t.Errorf("verdict %s, reached %v, exact %v, lossy %v", v.Verdict, v.ReachedVerifier, v.Exact, v.Lossy)
	}
}
