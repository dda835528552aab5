package assemble

import (
	"cmp"
	"maps"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// Options choose what an Assembler makes of the events.
type Options struct {
	// Want reports whether a load is of interest, by what its loader asked
	// for; nil wants all. Events of others are not even counted.
	Want func(Request) bool
	// UnixOffsetNS added to an event's time gives Unix time.
	UnixOffsetNS int64
	// ProgType names a program type; nil uses numbers.
	ProgType func(uint32) string
	// AttachType names an attach type, empty where it has no name; nil: none has.
	AttachType func(uint32) string
	// Cgroup finds the path of a group that a process is in, and the container that it
	// is of; nil: neither is to be had. It is asked as soon as a load is seen.
	Cgroup func(id uint64, pid uint32) (path, container string)
	// Loader describes a process that started then; nil: none.
	Loader func(pid uint32, startNS uint64) *record.Loader
	// OnEvent receives each event of the wanted verifications, resolved, as
	// soon as it is seen. The record is reused by the next call.
	OnEvent func(*record.Event)
	// Missed returns how often the kernel has skipped the ledger's programs
	// where that may have lost an event of a verification, and the time of the
	// events' clock just before it looked; nil: never.
	Missed func() (total, timeNS uint64)
	// MaxOpen is how many loads can be in flight at once; 0: any number. Where more are
	// open, ends were lost.
	MaxOpen int
	// Asked reports whether a verification is one that is asked for, and so counts to
	// Simultaneous; nil: all are.
	Asked func(*record.Verification) bool
	// Seeing is set where no program of the ledger is one that the kernel skips in a blind
	// slice.
	Seeing bool
	// Callers is set where a probe that the kernel skips in a blind slice names the caller and
	// the size of vmalloc areas.
	Callers bool
	// Aliases are the other slab caches that share the slabs of each, by name; nil: not
	// known.
	Aliases map[string][]string
	// Nameless is set where no call site can be named. No object has a type
	// then, so that nothing is exact.
	Nameless bool
}

// Assembler gathers events into verifications.
type Assembler struct {
	kernel     Kernel
	symbols    Symbols
	options    Options
	open       map[uint64]*verification
	latest     *verification     // of the last event; nil: look in open
	byTask     map[uint32]uint64 // the open verification of a thread
	sites      map[siteKey]*site
	shared     map[sharedKey]*site
	located    map[uint64]location
	cacheNames map[uint64]string
	missed     []reading // in the order of their times
	event      eventBuffer
	together   together
	givenUp    []uint64 // verifications that were, for room, and whose ends did not come
	lateEnds   uint64   // that did come
	recent     [recentSites]recentSite
	// Emptied, of verifications that have ended.
	spare       []*liveTable
	spareLeaves []*leaf
}

// New returns an Assembler for a kernel.
func New(kernel Kernel, symbols Symbols, options Options) *Assembler {
	return &Assembler{
		kernel:     kernel,
		symbols:    symbols,
		options:    options,
		open:       map[uint64]*verification{},
		byTask:     map[uint32]uint64{},
		sites:      map[siteKey]*site{},
		shared:     map[sharedKey]*site{},
		located:    map[uint64]location{},
		cacheNames: map[uint64]string{},
	}
}

// Add takes the next event and returns the verifications that it completes:
// only a start or an end completes any. An event of a verification that was never
// started, or is not wanted, is skipped: nothing partial comes of it.
func (a *Assembler) Add(e *Event) []*record.Verification {
	switch e.Kind {
	case KindStart:
		return a.start(e)
	case KindEnd:
		return a.end(e)
	case KindOrphan:
		return a.orphan(e)
	case KindCache:
		a.nameCache(e.Cache, e.Name)
		return nil
	}
	// Events come in batches of one verification: mostly it is the latest again.
	v := a.latest
	if v == nil || v.id != e.Verification {
		if v = a.open[e.Verification]; v == nil {
			return nil
		}
		a.latest = v
	}
	v.lastNS = e.TimeNS
	switch e.Kind {
	case KindAlloc:
		v.received.allocs++
		if e.Source == SourceVmalloc && e.CallSite == 0 {
			v.callerless = true
		}
		a.alloc(v, e)
	case KindFree:
		v.received.frees++
		a.flush(v)
		a.free(v, e)
	case KindVisit:
		v.received.visits++
		v.visit(e)
	case KindLog:
		v.words.addLog(e.Words)
	case KindCalls:
		v.words.addCalls(e.Words)
	case KindFailed:
		v.received.failed++
		objectType, site := a.typeOfFailed(&Failed{CallSite: e.CallSite, Requested: e.Requested, Source: e.Source})
		v.failedTypes.add(objectType)
		v.failedSites.add(site)
	case KindName:
		v.received.names++
		v.names.add(e)
	}
	return nil
}

// nameCache takes a cache's name. Sites that were worked out without it, or with that of
// a cache that had the address before, are worked out again.
func (a *Assembler) nameCache(cache uint64, name string) {
	if old, known := a.cacheNames[cache]; known && old == name {
		return
	}
	a.cacheNames[cache] = name
	clear(a.sites)
	a.recent = [recentSites]recentSite{}
}

// Finish gives up the verifications that are still open, each as incomplete for
// the given reason, in the order of their start.
func (a *Assembler) Finish(reason string) []*record.Verification {
	var rs []*record.Verification
	for _, id := range slices.Sorted(maps.Keys(a.open)) {
		rs = append(rs, a.giveUp(a.open[id], reason))
	}
	return rs
}

// quietest returns the open verification whose last event is the oldest: of those that go on
// one that takes long has events, too.
func (a *Assembler) quietest() (quietest *verification) {
	for _, v := range a.open {
		if quietest == nil || cmp.Or(cmp.Compare(v.lastNS, quietest.lastNS), cmp.Compare(v.id, quietest.id)) < 0 {
			quietest = v
		}
	}
	return quietest
}

// makeRoom gives up a verification where as many are open as there can be. It is a guess
// which of them has lost its end: should that come yet, it is counted.
func (a *Assembler) makeRoom() *record.Verification {
	v := a.quietest()
	if len(a.givenUp) == a.options.MaxOpen {
		a.givenUp = slices.Delete(a.givenUp, 0, 1)
	}
	a.givenUp = append(a.givenUp, v.id)
	return a.giveUp(v, endLost)
}

// countLate counts the end of a verification that is not open, if it was given up for room.
func (a *Assembler) countLate(id uint64) {
	if i := slices.Index(a.givenUp, id); i >= 0 {
		a.givenUp = slices.Delete(a.givenUp, i, i+1)
		a.lateEnds++
	}
}

// LateEnds returns how many ends came of verifications that had been given up for room, and
// whose records are incomplete.
func (a *Assembler) LateEnds() uint64 { return a.lateEnds }

// Simultaneous returns the most that was held at once by verifications that have ended;
// nil: none of them was exact.
func (a *Assembler) Simultaneous() *record.Simultaneous {
	return a.together.sum(a.options.UnixOffsetNS)
}

func (a *Assembler) asked(r *record.Verification) bool {
	return a.options.Asked == nil || a.options.Asked(r)
}

// neverBegan takes a load whose verification, if there was one, was not seen to begin.
func (a *Assembler) neverBegan(r *record.Verification) *record.Verification {
	if len(r.Lossy) > 0 && a.asked(r) {
		a.together.leftOut++
	}
	return r
}

func (a *Assembler) wants(r Request) bool {
	return a.options.Want == nil || a.options.Want(r)
}

// endLost is why a verification is incomplete of which no end came.
const endLost = "its end was lost"

func (a *Assembler) start(e *Event) []*record.Verification {
	var done []*record.Verification
	// One thread verifies one program at a time: what is still open there
	// has lost its end.
	if old, ok := a.byTask[e.TID]; ok {
		done = append(done, a.giveUp(a.open[old], endLost))
	}
	if old := a.open[e.Verification]; old != nil {
		done = append(done, a.giveUp(old, "its number was given again"))
	}
	if !a.wants(e.Start.Request) {
		return done
	}
	if a.options.MaxOpen > 0 && len(a.open) == a.options.MaxOpen {
		done = append(done, a.makeRoom())
	}
	v := newVerification(a, e)
	v.line = a.together.start(v.id, v.startNS)
	a.open[v.id] = v
	a.byTask[e.TID] = v.id
	return done
}

func (a *Assembler) end(e *Event) []*record.Verification {
	if e.Verification == 0 {
		if !a.wants(e.End.Request) {
			return nil
		}
		return []*record.Verification{a.neverBegan(a.unverified(e))}
	}
	v := a.open[e.Verification]
	if v == nil {
		a.countLate(e.Verification)
		return nil
	}
	a.flush(v)
	a.forget(v)
	a.countMissed()
	defer a.recycle(v)
	r := v.finish(a, e)
	a.together.end(v.line, e.End.ReleaseNS, r.Exact, a.asked(r))
	return []*record.Verification{r}
}

func (a *Assembler) giveUp(v *verification, reason string) *record.Verification {
	a.flush(v)
	a.forget(v)
	a.countMissed()
	defer a.recycle(v)
	r := v.incomplete(a, reason)
	a.together.end(v.line, 0, false, a.asked(r))
	return r
}

func (a *Assembler) forget(v *verification) {
	delete(a.open, v.id)
	a.latest = nil
	if a.byTask[v.tid] == v.id {
		delete(a.byTask, v.tid)
	}
}

// maxSpare, maxSpareSlots and maxSpareLeaves bound what is kept, and the memory with it.
const (
	maxSpare       = 8
	maxSpareSlots  = 1 << 16 // of a table: some 32,000 objects that live at once
	maxSpareLeaves = 256
)

// recycle keeps a table of live objects for the next verification: it has grown to the
// size that the next one is likely to need, too. Leaves are kept for the 4 KB of a
// histogram, which are most of the garbage that a verification would leave.
func (a *Assembler) recycle(v *verification) {
	if len(a.spare) < maxSpare && len(v.live.slots) <= maxSpareSlots {
		v.live.clear()
		a.spare = append(a.spare, v.live)
	}
	for _, l := range v.leaves[:min(len(v.leaves), maxSpareLeaves-len(a.spareLeaves))] {
		l.latency.Reset()
		*l = leaf{latency: l.latency, meters: l.meters[:0]}
		a.spareLeaves = append(a.spareLeaves, l)
	}
	v.live, v.leaves, v.bySite = nil, nil, nil
}

// takeSpare returns the last of what was kept, or a new one.
func takeSpare[T any](spare *[]*T) *T {
	n := len(*spare)
	if n == 0 {
		return new(T)
	}
	last := (*spare)[n-1]
	*spare = (*spare)[:n-1]
	return last
}

// reading is what Options.Missed returned.
type reading struct{ total, timeNS uint64 }

// maxReadings bounds what is kept; a verification that began before the oldest is
// charged with all misses since that.
const maxReadings = 1024

func (a *Assembler) countMissed() {
	if a.options.Missed == nil {
		return
	}
	total, timeNS := a.options.Missed()
	if len(a.missed) == maxReadings {
		a.missed = append(a.missed[:0], a.missed[maxReadings/2:]...)
	}
	a.missed = append(a.missed, reading{total, timeNS})
}

// missedSince returns the misses that may be of a verification begun at startNS.
// Its start may have waited in the ring buffer, so the readings that count from
// are those made before it, not those made before it was read.
func (a *Assembler) missedSince(startNS uint64) uint64 {
	if len(a.missed) == 0 {
		return 0
	}
	var before uint64
	for _, r := range a.missed {
		if r.timeNS >= startNS {
			break
		}
		before = r.total
	}
	return a.missed[len(a.missed)-1].total - before
}

// alloc takes an allocation. The kernel reports a large kmalloc twice, first from
// within the allocator and then with its caller's call site: the event is held
// until the next one shows whether it was the first of two.
func (a *Assembler) alloc(v *verification, e *Event) {
	if held := &v.held; v.holding {
		if held.Pointer == e.Pointer && held.Requested == e.Requested {
			first := *held
			v.held = *e
			if v.held.LatencyNS == LatencyNone {
				v.held.LatencyNS = first.LatencyNS
			}
			v.held.TimeNS = first.TimeNS
			a.flush(v)
			return
		}
		a.flush(v)
	}
	if e.Source == SourceKmalloc && a.kernel.large(e.Requested) {
		v.held, v.holding = *e, true
		return
	}
	a.apply(v, e)
}

// flush applies the allocation that is held, if any.
func (a *Assembler) flush(v *verification) {
	if v.holding {
		v.holding = false
		a.apply(v, &v.held)
	}
}

func (a *Assembler) apply(v *verification, e *Event) {
	if e.Requested == 0 {
		e.Requested = e.Allocated // vmalloc seen without its entry
	}
	l := v.leaf(a, a.siteOf(e, e.Pointer == v.start.Env), a.kernel.pathOf(e))
	o := object{leaf: l.index, requested: e.Requested, allocated: e.Allocated, timeNS: e.TimeNS}
	if old, had := v.live.put(e.Pointer, o); had {
		// Handed out again without a free: that free was not the
		// verifier's, but an interrupt's (RCU) or another task's.
		if v.leaves[old.leaf].site.temporary {
			v.unseen++
		}
		v.drop(old)
		a.letGo(v, e, old)
	}
	v.alloc(o, e.LatencyNS)
	a.together.hold(v.line, e.TimeNS, int64(o.allocated), l.site.accounted)
	if a.options.OnEvent != nil {
		a.options.OnEvent(a.event.alloc(a, e, o, l))
	}
}

func (a *Assembler) free(v *verification, e *Event) {
	o, ok := v.live.take(e.Pointer)
	if ok {
		v.free(o, e.CallSite)
		a.letGo(v, e, o)
	} else {
		v.foreign[e.CallSite]++
	}
	if a.options.OnEvent != nil {
		var l *leaf
		if ok {
			l = v.leaves[o.leaf]
		}
		a.options.OnEvent(a.event.free(a, e, o, l))
	}
}

// letGo takes it that a verification holds an object no more.
func (a *Assembler) letGo(v *verification, e *Event, o object) {
	a.together.hold(v.line, e.TimeNS, -int64(o.allocated), v.leaves[o.leaf].site.accounted)
}
