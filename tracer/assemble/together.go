package assemble

import (
	"container/heap"
	"math"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// together adds up what loads that go on at once hold, and keeps the peak. A load counts
// from its start to the release of its env: what outlives it is the program's.
//
// Of a load that meets no other its own peak is all there is to keep. The changes of one
// that does wait for its end, which shows whether it was seen whole, and for the ends of
// those that it met: until then it is not known what these held meanwhile. The ring buffer
// has a start after all that other loads did before it, so nothing is yet to come that is
// earlier than the moment at which an open load first met another.
type together struct {
	open    []*line // in the order of their starts
	closed  queue   // whose changes are being added up, or wait for open lines
	changes int     // in all lines
	limit   int     // of changes; 0: maxChanges
	until   uint64  // when the first of the open lines that are awaited met another

	now     amount // what the lines hold that are being added up
	peak    amount
	seen    bool // there is a peak
	leftOut uint64
}

// maxChanges bounds the changes that wait, and the memory with it: 8 bytes each.
const maxChanges = 1 << 22

// atOnce is how many changes are added up each time one comes: the events that come
// meanwhile wait in the ring buffer.
const atOnce = 16

// amount is what is held at one time.
type amount struct{ timeNS, bytes, accounted, loads uint64 }

// raise raises a peak to what is held; bytes and accounted bytes have theirs at times of
// their own.
func (peak *amount) raise(held amount) {
	peak.accounted = max(peak.accounted, held.accounted)
	if held.bytes > peak.bytes {
		held.accounted = peak.accounted
		*peak = held
	}
}

// line is what one load holds over time.
type line struct {
	id      uint64
	met     bool // another load was open at the same time
	apart   bool // its changes were given up: it is left out of sums
	held    step
	peak    amount   // of the load by itself, but for what is in changes
	first   step     // when it met another
	changes []change // since then
	endNS   uint64
	done    int  // how many of first, changes and end are added up
	added   step // the last of them
	next    step // the one after that
}

// step is what a load holds from a time on.
type step struct{ timeNS, bytes, accounted uint64 }

// change is how a step differs from the one before it.
type change struct {
	sinceNS uint32
	bytes   int32 // twice the bytes, and 1 if they are accounted
}

// What is kept of a line is of objects up to 1 GiB, and of spans up to some hours.
const (
	maxBytes = math.MaxInt32 / 2
	maxSpan  = 1 << 44
)

// apply returns the step that the change leads to.
func (c change) apply(s step) step {
	s.timeNS += uint64(c.sinceNS)
	s.bytes += uint64(c.bytes >> 1)
	if c.bytes&1 != 0 {
		s.accounted += uint64(c.bytes >> 1)
	}
	return s
}

// start begins a line, which meets those that are open.
func (t *together) start(id, timeNS uint64) *line {
	l := &line{id: id, held: step{timeNS: timeNS}}
	for _, other := range t.open {
		other.meet()
		l.meet()
	}
	t.open = append(t.open, l)
	t.await()
	return l
}

// meet notes that another load is open.
func (l *line) meet() {
	if !l.met {
		l.met, l.first = true, l.held
	}
}

// hold takes a change of what a load holds: by so many bytes.
func (t *together) hold(l *line, timeNS uint64, bytes int64, accounted bool) {
	before := l.held
	l.held.timeNS = max(before.timeNS, timeNS) // the env is older than its start
	l.held.bytes += uint64(bytes)
	if accounted {
		l.held.accounted += uint64(bytes)
	}
	sinceNS := l.held.timeNS - before.timeNS
	switch {
	case !l.met || l.apart:
		l.alone(l.held)
	case sinceNS > maxSpan || bytes > maxBytes || bytes < -maxBytes:
		t.setApart(l)
		l.alone(l.held)
	default:
		t.keep(l, sinceNS, bytes, accounted)
		t.bound()
	}
	if len(t.closed) > 0 {
		t.add(atOnce)
	}
}

// alone takes a step that goes into no sum.
func (l *line) alone(s step) { l.peak.raise(amount{s.timeNS, s.bytes, s.accounted, 1}) }

// keep has a change wait.
func (t *together) keep(l *line, sinceNS uint64, bytes int64, accounted bool) {
	for ; sinceNS > math.MaxUint32; sinceNS -= math.MaxUint32 {
		l.changes = append(l.changes, change{sinceNS: math.MaxUint32})
		t.changes++
	}
	c := change{uint32(sinceNS), int32(bytes << 1)}
	if accounted {
		c.bytes |= 1
	}
	l.changes = append(l.changes, c)
	t.changes++
}

// bound makes room where too many changes wait: the open line that they wait for is set
// apart.
func (t *together) bound() {
	limit := t.limit
	if limit == 0 {
		limit = maxChanges
	}
	if t.changes > limit {
		t.add(math.MaxInt)
	}
	for t.changes > limit {
		t.setApart(t.await()) // closed lines alone do not wait
		t.add(math.MaxInt)
	}
}

// setApart gives up the changes of an open line.
func (t *together) setApart(l *line) {
	s := l.first
	l.alone(s)
	for _, c := range l.changes {
		s = c.apply(s)
		l.alone(s)
	}
	t.forget(l)
	l.apart = true
	t.await()
}

// await finds the open line that met another first; nil: none has.
func (t *together) await() *line {
	var first *line
	t.until = math.MaxUint64
	for _, l := range t.open {
		if l.met && !l.apart && (first == nil || l.first.timeNS < first.first.timeNS) {
			first, t.until = l, l.first.timeNS
		}
	}
	return first
}

// forget drops the changes of a line.
func (t *together) forget(l *line) {
	t.changes -= len(l.changes)
	l.changes = nil
}

// end ends a line as its env is released. Of those that are asked for, only what is exact is
// added up.
func (t *together) end(l *line, releaseNS uint64, exact, asked bool) {
	t.open = slices.DeleteFunc(t.open, func(open *line) bool { return open == l })
	t.await()
	if asked && (!exact || l.apart) {
		t.leftOut++
	}
	if !asked || !exact {
		t.forget(l)
		return
	}
	t.seen = true
	t.peak.raise(l.peak)
	if l.met && !l.apart {
		l.endNS = max(l.held.timeNS, releaseNS)
		l.next = l.first
		heap.Push(&t.closed, l)
	}
}

// add adds up the next changes of closed lines, up to most of them, that open ones cannot
// go with. Of what is at one time, that of the load that began first
// comes first.
func (t *together) add(most int) {
	for ; most > 0 && len(t.closed) > 0 && t.closed[0].next.timeNS < t.until; most-- {
		l := t.closed[0]
		if l.done == 0 {
			t.now.loads++
		}
		t.now.timeNS = l.next.timeNS
		t.now.bytes += l.next.bytes - l.added.bytes
		t.now.accounted += l.next.accounted - l.added.accounted
		if l.done++; l.done == len(l.changes)+2 {
			t.now.loads--
			t.forget(l)
			heap.Pop(&t.closed)
			continue
		}
		t.peak.raise(t.now)
		l.added = l.next
		if l.done <= len(l.changes) {
			l.next = l.changes[l.done-1].apply(l.added)
		} else {
			l.next = step{timeNS: l.endNS}
		}
		if !t.closed.inOrder() {
			heap.Fix(&t.closed, 0)
		}
	}
}

// sum returns the peak so far; nil: no load is in it. Loads that go on are not, so while any
// does the peak is the least that there was.
func (t *together) sum(unixOffsetNS int64) *record.Simultaneous {
	if !t.seen {
		return nil
	}
	whole := *t
	whole.until = math.MaxUint64
	whole.closed = slices.Clone(t.closed)
	for i, l := range whole.closed {
		copied := *l
		whole.closed[i] = &copied
	}
	whole.add(math.MaxInt)
	return &record.Simultaneous{
		PeakLiveBytes: whole.peak.bytes, PeakLiveAccountedBytes: whole.peak.accounted, Loads: whole.peak.loads,
		TimeUnixNS: int64(whole.peak.timeNS) + unixOffsetNS, LeftOut: t.leftOut,
		Exact: t.leftOut == 0 && len(t.open) == 0,
	}
}

// queue is a heap of lines by their next steps.
type queue []*line

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return a.next.timeNS < b.next.timeNS || a.next.timeNS == b.next.timeNS && a.id < b.id
}

// inOrder reports whether the first line is still the first, as it mostly is: a CPU runs
// one load for some time.
func (q queue) inOrder() bool {
	return (len(q) < 2 || !q.Less(1, 0)) && (len(q) < 3 || !q.Less(2, 0))
}

func (q *queue) Push(l any) { *q = append(*q, l.(*line)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	l := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return l
}
