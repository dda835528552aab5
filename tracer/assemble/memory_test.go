package assemble

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// heap is how many bytes are in use once all garbage is gone.
func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Nothing is kept of a load that has ended, though each has sizes, a thread, a process, a
// group and a name of its own.
func TestMemoryIsFlat(t *testing.T) {
	const warm, room = 10_000, 1 << 20
	loads := 100_000
	if testing.Short() {
		loads = 3 * warm
	}
	s := newStream(t, kernel6_18, Options{})
	var before uint64
	for i := range uint64(loads) {
		if i == warm {
			before = heapBytes()
		}
		l := s.startLoad(uint32(i))
		for j, function := range []string{"check_cfg", "copy_array", "push_jmp_history", "bpf_patch_insn_data"} {
			l.free(l.alloc(function, 8*i+uint64(j)+1), function)
		}
		l.finish(func(e *End) {
			e.PID, e.CgroupID, e.Comm, e.Result.Name = uint32(i), i, fmt.Sprint("comm", i), fmt.Sprint("prog", i)
		})
	}
	if after := heapBytes(); after > before+room {
		t.Errorf("%d bytes after %d loads, %d after %d: want no more than %d between them", after, loads, before, warm, room)
	}
	runtime.KeepAlive(s)
}

// A load of many objects leaves no more behind than others.
func TestMemoryOfLargeLoad(t *testing.T) {
	const objects, room = 300_000, 8 << 20
	s := newStream(t, kernel6_18, Options{})
	before := heapBytes()
	l := s.startLoad(1)
	first := l.alloc("copy_array", 64)
	for range objects {
		l.alloc("copy_array", 64)
	}
	if grown := heapBytes(); grown < before+room {
		t.Fatalf("%d bytes with %d objects, %d without: the test shows nothing", grown, objects, before)
	}
	l.free(first, "copy_array")
	l.finish()
	if after := heapBytes(); after > before+room {
		t.Errorf("%d bytes after a load of %d objects, %d before: want no more than %d between them", after, objects, before, room)
	}
	runtime.KeepAlive(s)
}

// Where ends are lost, and the threads with them, no more is kept than can be in flight.
func TestMaxOpen(t *testing.T) {
	const most = 8
	s := newStream(t, kernel6_18, Options{MaxOpen: most})
	for i := range uint32(100) {
		l, done := s.startAfter(i)
		if len(s.open) > most {
			t.Fatalf("%d are open", len(s.open))
		}
		switch lost := i >= most; {
		case lost && (len(done) != 1 || done[0].ID != l.id-most || done[0].Verdict != record.VerdictIncomplete || done[0].Exact):
			t.Fatalf("start %d completes %+v, want an incomplete %d", i, done, l.id-most)
		case !lost && len(done) > 0:
			t.Fatalf("start %d completes %+v", i, done)
		}
	}
}

// What is given up for room is the one that has been quiet for longest, and not the oldest. An
// end that comes of it after that is counted.
func TestMaxOpenGivesUpTheQuietest(t *testing.T) {
	s := newStream(t, kernel6_18, Options{MaxOpen: 2, Want: func(r Request) bool { return r.Name != "other" }})
	long, quiet := s.startLoad(1), s.startLoad(2)
	long.subprogram(2, 0)
	next, done := s.startAfter(3)
	if len(done) != 1 || done[0].ID != quiet.id || done[0].IncompleteReason != endLost {
		t.Fatalf("given up: %+v, want %d", done, quiet.id)
	}
	if done := s.add(Event{Kind: KindEnd, Verification: 99, End: &End{}}); len(done) > 0 || s.LateEnds() != 0 {
		t.Errorf("the end of one that was not wanted: %d records, %d late ends", len(done), s.LateEnds())
	}
	for range 2 {
		if done := s.add(Event{Kind: KindEnd, Verification: quiet.id, End: &quiet.end}); len(done) > 0 || s.LateEnds() != 1 {
			t.Errorf("the end of what was given up: %d records, %d late ends", len(done), s.LateEnds())
		}
	}
	wantExact(t, long.peak(2).finish())
	wantExact(t, next.finish())

	for i := range uint32(100) { // whose ends never come
		s.startAfter(10 + i)
	}
	if len(s.givenUp) > 2 {
		t.Errorf("%d are remembered", len(s.givenUp))
	}
}

// All that are open at the end are told, in the order of their starts.
func TestFinishInOrder(t *testing.T) {
	const loads = 500
	s := newStream(t, kernel6_18, Options{})
	for i := range uint32(loads) {
		s.startLoad(i)
	}
	done := s.Finish("over")
	for i, v := range done {
		if v.ID != uint64(i+1) || v.IncompleteReason != "over" {
			t.Fatalf("record %d: %d, %q", i, v.ID, v.IncompleteReason)
		}
	}
	if len(done) != loads || len(s.open) > 0 || len(s.Finish("again")) > 0 {
		t.Errorf("%d records, %d still open", len(done), len(s.open))
	}
}
