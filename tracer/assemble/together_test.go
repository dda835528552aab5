package assemble

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

// loadPlan is what one load of a test does, in events' time: its steps go on their way in
// batches, and the last one is its release.
type loadPlan struct {
	line    *line
	id      uint64
	steps   []step // made, in order
	sent    int
	counted bool
}

// sortedPeak adds up all steps of loads in the order of their times, the obvious way.
func sortedPeak(loads []*loadPlan) amount {
	type change struct {
		timeNS, id uint64
		index      int
		load       *loadPlan
	}
	var all []change
	for _, l := range loads {
		for i, s := range l.steps {
			all = append(all, change{s.timeNS, l.id, i, l})
		}
	}
	slices.SortFunc(all, func(a, b change) int {
		return slices.Compare([]uint64{a.timeNS, a.id, uint64(a.index)}, []uint64{b.timeNS, b.id, uint64(b.index)})
	})
	var peak amount
	held := map[uint64]step{}
	for _, c := range all {
		if c.index == len(c.load.steps)-1 {
			delete(held, c.id)
		} else {
			held[c.id] = c.load.steps[c.index]
		}
		sum := amount{timeNS: c.timeNS, loads: uint64(len(held))}
		for _, s := range held {
			sum.bytes += s.bytes
			sum.accounted += s.accounted
		}
		peak.accounted = max(peak.accounted, sum.accounted)
		if sum.bytes > peak.bytes {
			sum.accounted = peak.accounted
			peak = sum
		}
	}
	return peak
}

// simultaneousOf is what comes of a peak, with so many loads that still go on.
func simultaneousOf(peak amount, leftOut uint64, open int) *record.Simultaneous {
	return &record.Simultaneous{
		PeakLiveBytes: peak.bytes, PeakLiveAccountedBytes: peak.accounted, Loads: peak.loads,
		TimeUnixNS: int64(peak.timeNS), LeftOut: leftOut, Exact: leftOut == 0 && open == 0,
	}
}

// randomLoads plays loads that go on at once, and calls check after each that ends with
// those that have ended, how many of these were not counted, and how many go on.
func randomLoads(r *rand.Rand, t *together, check func(ended []*loadPlan, leftOut uint64, open int)) {
	now, lastID := uint64(1000), uint64(0)
	var open, ended []*loadPlan
	var leftOut uint64
	scale := []uint64{1, 1 << 20, 1 << 24}[r.IntN(3)]
	change := func(l *loadPlan) {
		held := step{}
		if n := len(l.steps); n > 0 {
			held = l.steps[n-1]
		}
		held.timeNS = now
		bytes := scale * (1 + r.Uint64N(60))
		switch less := r.IntN(2) == 0; {
		case less && r.IntN(2) == 0 && held.accounted >= bytes:
			held.bytes -= bytes
			held.accounted -= bytes
		case less && held.bytes-held.accounted > bytes:
			held.bytes -= bytes
		default:
			held.bytes += bytes
			if r.IntN(2) == 0 && len(l.steps) > 0 { // the env is not
				held.accounted += bytes
			}
		}
		l.steps = append(l.steps, held)
	}
	send := func(l *loadPlan, upTo int) {
		for ; l.sent < upTo; l.sent++ {
			s := l.steps[l.sent]
			bytes := int64(s.bytes - l.line.held.bytes)
			t.hold(l.line, s.timeNS, bytes, s.accounted != l.line.held.accounted)
		}
	}
	most := 1 + r.IntN(6)
	for range 20 + r.IntN(400) {
		now += r.Uint64N(3) // often the same
		if r.IntN(100) == 0 {
			now += r.Uint64N(20e9)
		}
		if len(open) == 0 || len(open) < most && r.IntN(8) == 0 {
			lastID++
			l := &loadPlan{id: lastID, counted: r.IntN(6) > 0}
			l.line = t.start(l.id, now)
			change(l)
			open = append(open, l)
			continue
		}
		i := r.IntN(len(open))
		l := open[i]
		if r.IntN(10) > 0 {
			change(l)
			if r.IntN(4) == 0 {
				send(l, l.sent+r.IntN(len(l.steps)-l.sent+1))
			}
			continue
		}
		send(l, len(l.steps))
		l.steps = append(l.steps, step{timeNS: now})
		asked := l.counted || r.IntN(2) == 0
		t.end(l.line, now, l.counted, asked)
		open = slices.Delete(open, i, i+1)
		if l.counted {
			ended = append(ended, l)
		} else if asked {
			leftOut++
		}
		check(ended, leftOut, len(open))
	}
}

// What comes of any loads, in whatever order their batches arrive, is what comes of all
// their steps put in order.
func TestTogetherAnyOrder(t *testing.T) {
	var several int
	for seed := range uint64(300) {
		tg := &together{}
		randomLoads(rand.New(rand.NewPCG(seed, 1)), tg, func(ended []*loadPlan, leftOut uint64, open int) {
			if len(ended) == 0 {
				if got := tg.sum(0); got != nil {
					t.Fatalf("seed %d: of nothing: %+v", seed, got)
				}
				return
			}
			want := sortedPeak(ended)
			if want.loads > 1 {
				several++
			}
			if diff := cmp.Diff(simultaneousOf(want, leftOut, open), tg.sum(0)); diff != "" {
				t.Fatalf("seed %d, %d loads (-want +got):\n%s", seed, len(ended), diff)
			}
		})
		waiting := 0
		for _, l := range slices.Concat(tg.open, []*line(tg.closed)) {
			waiting += len(l.changes)
		}
		if waiting != tg.changes {
			t.Fatalf("seed %d: %d changes are counted, %d wait", seed, tg.changes, waiting)
		}
		tg.open = nil
		tg.await()
		if tg.add(1 << 30); len(tg.closed) > 0 || tg.now.bytes+tg.now.loads+tg.now.accounted > 0 {
			t.Fatalf("seed %d: %d loads wait for nothing, %+v is held", seed, len(tg.closed), tg.now)
		}
	}
	if several == 0 {
		t.Error("no peak was of several loads")
	}
}

// With too little room for the steps the peak is the least, never more than there was, and
// it says so.
func TestTogetherLimit(t *testing.T) {
	var least int
	for seed := range uint64(300) {
		tg := &together{limit: 16}
		randomLoads(rand.New(rand.NewPCG(seed, 2)), tg, func(ended []*loadPlan, leftOut uint64, open int) {
			if tg.changes > tg.limit {
				t.Fatalf("seed %d: %d changes wait", seed, tg.changes)
			}
			got := tg.sum(0)
			if len(ended) == 0 {
				return
			}
			want := sortedPeak(ended)
			switch {
			case got.LeftOut == leftOut:
				if diff := cmp.Diff(simultaneousOf(want, leftOut, open), got); diff != "" {
					t.Fatalf("seed %d: no load was set apart (-want +got):\n%s", seed, diff)
				}
			case got.Exact || got.PeakLiveBytes > want.bytes || got.PeakLiveAccountedBytes > want.accounted:
				t.Fatalf("seed %d: got %+v, want at most %+v", seed, got, want)
			case got.PeakLiveBytes < want.bytes:
				least++
			}
			for _, l := range ended {
				if own := sortedPeak([]*loadPlan{l}); got.PeakLiveBytes < own.bytes {
					t.Fatalf("seed %d: %+v is less than a load's own %d", seed, got, own.bytes)
				}
			}
		})
	}
	if least == 0 {
		t.Error("no peak was less than there was: the limit was never reached")
	}
}

// An object or a span too large to be kept leaves its load out.
func TestTogetherTooLarge(t *testing.T) {
	for _, c := range []struct {
		what           string
		bytes, spanNS  int64
		want, loads, n uint64
	}{
		{"an object", 1 << 30, 1, 1<<30 + 8, 1, 1},
		{"less", 1<<30 - 1, 1, 1<<30 + 15, 2, 0},
		{"a span", 8, 1<<44 + 1, 16, 1, 1},
		{"a shorter one", 8, 1 << 44, 24, 2, 0},
	} {
		tg := &together{}
		a, b := tg.start(1, 100), tg.start(2, 100)
		tg.hold(a, 100, 8, false)
		tg.hold(b, 100, 8, false)
		tg.hold(a, uint64(100+c.spanNS), c.bytes, false)
		tg.end(a, uint64(200+c.spanNS), true, true)
		tg.end(b, uint64(200+c.spanNS), true, true)
		want := simultaneousOf(amount{uint64(100 + c.spanNS), c.want, 0, c.loads}, c.n, 0)
		if diff := cmp.Diff(want, tg.sum(0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// at sets the time of an event.
func at(timeNS uint64) func(*Event) { return func(e *Event) { e.TimeNS = timeNS } }

// playAt starts a load that holds nothing but its env, which is of 8 KiB.
func playAt(s *stream, tid uint32, timeNS uint64) *load {
	s.clock = timeNS - 100
	return s.startLoad(tid)
}

func smallEnv() Kernel {
	k := kernel6_18
	k.Env = 8000
	return k
}

// A load that is alone is its own peak, also if another follows it.
func TestSimultaneousInTurn(t *testing.T) {
	s := newStream(t, smallEnv(), Options{UnixOffsetNS: 5e9})
	if got := s.Simultaneous(); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
	l := playAt(s, 1, 2000)
	p := l.alloc("push_stack", 4096, at(3000))
	l.free(p, "pop_stack")
	l.alloc("bpf_check", 64) // outlives it, and is not the next one's
	first := l.finish()
	wantExact(t, first)
	second := s.startLoad(1).finish()
	want := &record.Simultaneous{PeakLiveBytes: 8192 + 4096, Loads: 1, TimeUnixNS: 5e9 + 3000, Exact: true}
	if diff := cmp.Diff(want, s.Simultaneous()); diff != "" || first.PeakLiveBytes != want.PeakLiveBytes || second.PeakLiveBytes >= want.PeakLiveBytes {
		t.Errorf("records have %d and %d bytes (-want +got):\n%s", first.PeakLiveBytes, second.PeakLiveBytes, diff)
	}
}

// Batches arrive out of order: the second load's, of times before those that the first has
// sent by then, count at their own times.
func TestSimultaneousAtOnce(t *testing.T) {
	account := func(e *Event) { e.GFP |= gfpAccount }
	s := newStream(t, smallEnv(), Options{})
	a, b := playAt(s, 1, 2000), playAt(s, 2, 2500)
	p := a.alloc("push_stack", 4096, at(3000))
	s.clock = 5000 - 100
	a.free(p, "pop_stack")
	q := b.alloc("push_stack", 2048, at(4000), account)
	s.clock = 4500 - 100
	b.free(q, "pop_stack")
	s.clock = 6000
	wantExact(t, b.finish())
	if got := s.Simultaneous(); got.PeakLiveBytes != 8192+2048 || got.Loads != 1 || got.Exact {
		t.Errorf("the first load goes on, and is not in it: %+v", got)
	}
	wantExact(t, a.finish())
	want := &record.Simultaneous{
		PeakLiveBytes: 2*8192 + 4096 + 2048, PeakLiveAccountedBytes: 2048, Loads: 2, TimeUnixNS: 4000, Exact: true,
	}
	if diff := cmp.Diff(want, s.Simultaneous()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What was not seen whole is not added up, and takes exact away; what nobody asked for does
// neither.
func TestSimultaneousLeftOut(t *testing.T) {
	asked := true
	s := newStream(t, smallEnv(), Options{Asked: func(*record.Verification) bool { return asked }})
	ring := func(e *End) { e.Dropped = 1 }
	check := func(what string, bytes, leftOut uint64) {
		t.Helper()
		want := &record.Simultaneous{PeakLiveBytes: bytes, Loads: 1, LeftOut: leftOut, Exact: leftOut == 0}
		got := s.Simultaneous()
		if got != nil {
			got.TimeUnixNS = 0
		}
		if bytes == 0 {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	a, b := playAt(s, 1, 2000), playAt(s, 2, 2500)
	b.alloc("push_stack", 4096)
	asked = false
	b.finish(ring)
	check("nobody asked for it", 0, 0)
	asked = true
	a.finish()
	check("one whole load", 8192, 0)

	a, b = s.startLoad(1), s.startLoad(2)
	b.alloc("push_stack", 4096)
	b.finish(ring)
	a.finish()
	check("one was lossy", 8192, 1)

	s.startLoad(1)
	if done := s.Finish("over"); len(done) != 1 {
		t.Fatalf("%d records at the end", len(done))
	}
	check("one was cut off", 8192, 2)

	end := End{Returned: true, Ret: -1}
	s.add(Event{Kind: KindEnd, TID: 3, End: &end})
	check("one failed ahead of the verifier", 8192, 2)
	s.add(Event{Kind: KindOrphan, TID: 3, End: &end})
	check("one began before", 8192, 3)
	end.Ret = 5
	s.add(Event{Kind: KindEnd, TID: 3, End: &end})
	check("the start of one was missed", 8192, 4)
}
