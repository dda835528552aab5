package assemble

import (
	"encoding/hex"
	"syscall"

	"github.com/verialloc/verialloc/tracer/record"
)

// object is one live allocation. It has no pointer: there may be many of them, and the
// garbage collector need not look at any.
type object struct {
	leaf                 int32 // in the verification's leaves
	requested, allocated uint64
	timeNS               uint64
}

// verification is one that is being assembled.
type verification struct {
	id      uint64
	tid     uint32
	startNS uint64
	lastNS  uint64 // time of the last event
	start   Start
	place   place

	line    *line // in the assembler's together
	live    *liveTable
	held    Event
	holding bool

	leaves   []*leaf
	bySite   [][paths]*leaf // by site.index
	total    meter
	account  meter               // of objects charged to the cgroup
	meters   []map[string]*meter // by heading and name
	received struct{ allocs, frees, visits, names, failed uint64 }
	names    programNames

	// foreign counts frees of unknown pointers by call site, ownedFrees
	// holds the call sites that free the verifier's own objects: a foreign
	// free there means that an allocation was missed.
	foreign    map[uint64]uint64
	ownedFrees map[uint64]bool
	// unseen counts temporary objects that were handed out again without a
	// free.
	unseen uint64

	failedTypes, failedSites failed

	callerless bool // an area of vmalloc came without its caller
	words      words

	states statesCounter
	visits struct {
		hits    uint64
		latency record.Recorder
	}
}

func newVerification(a *Assembler, e *Event) *verification {
	return &verification{
		id: e.Verification, tid: e.TID, startNS: e.TimeNS, lastNS: e.TimeNS, start: *e.Start,
		place:      a.placeOf(e.Start.CgroupID, e.Start.PID, e.Start.ProcessStartNS),
		live:       takeSpare(&a.spare),
		foreign:    map[uint64]uint64{},
		ownedFrees: map[uint64]bool{},
		meters:     newMeters(),
		states:     statesCounter{rule: a.kernel.PeakRule},
	}
}

// leaf returns the verification's leaf of a site and path.
func (v *verification) leaf(a *Assembler, s *site, p path) *leaf {
	for len(v.bySite) <= s.index {
		v.bySite = append(v.bySite, [paths]*leaf{})
	}
	l := v.bySite[s.index][p]
	if l == nil {
		l = takeSpare(&a.spareLeaves)
		l.index, l.site, l.path = int32(len(v.leaves)), s, p
		for i, h := range headings {
			l.meters = append(l.meters, meterOf(v.meters[i], h.name(l)))
		}
		v.bySite[s.index][p] = l
		v.leaves = append(v.leaves, l)
	}
	return l
}

func meterOf(meters map[string]*meter, name string) *meter {
	m := meters[name]
	if m == nil {
		m = &meter{}
		meters[name] = m
	}
	return m
}

func (v *verification) alloc(o object, latencyNS uint64) {
	l := v.leaves[o.leaf]
	l.allocs++
	l.requested += o.requested
	l.allocated += o.allocated
	if latencyNS != LatencyNone {
		l.latency.Observe(latencyNS)
	}
	v.total.alloc(o.allocated)
	for _, m := range l.meters {
		m.alloc(o.allocated)
	}
	if l.site.accounted {
		v.account.alloc(o.allocated)
	}
	v.states.alloc(l.site.states)
}

func (v *verification) free(o object, callSite uint64) {
	v.drop(o)
	if v.leaves[o.leaf].site.owned {
		v.ownedFrees[callSite] = true
	}
}

// drop takes an object off the live counts.
func (v *verification) drop(o object) {
	l := v.leaves[o.leaf]
	l.frees++
	v.total.free(o.allocated)
	for _, m := range l.meters {
		m.free(o.allocated)
	}
	if l.site.accounted {
		v.account.free(o.allocated)
	}
	v.states.free(l.site.states)
}

func (v *verification) visit(e *Event) {
	v.visits.latency.Observe(e.LatencyNS)
	if e.Result == 1 {
		v.visits.hits++
	}
}

// record returns what the start and the traced events alone give.
func (v *verification) record(a *Assembler) *record.Verification {
	total := v.sum()
	r := &record.Verification{
		Head:       record.NewHead(record.KindVerification),
		ID:         v.id,
		TimeUnixNS: int64(v.startNS) + a.options.UnixOffsetNS,
		PID:        v.start.PID,
		TID:        v.tid,
		Comm:       v.start.Comm,
		UID:        v.start.UID,
		CgroupID:   v.start.CgroupID,

		ReachedVerifier: true,

		StateListAllocs:        v.states.total,
		TracedPeak:             v.states.peak(),
		Allocs:                 total.Allocs,
		Frees:                  total.Frees,
		Outlived:               total.Outlived,
		BytesRequested:         total.BytesRequested,
		BytesAllocated:         total.BytesAllocated,
		PeakLiveBytes:          total.PeakLiveBytes,
		PeakLiveAccountedBytes: v.account.peakBytes,
		AllocTimeNS:            total.AllocTimeNS,
		Latency:                total.Latency,
	}
	v.place.describe(r)
	v.groups(r, a.options.Aliases)
	if total.Allocs > 0 {
		r.LatencyCoverage = float64(total.Latency.Count) / float64(total.Allocs)
	}
	for _, n := range v.foreign {
		r.ForeignFrees += n
	}
	r.FailedTypes, r.FailedSites = v.failedTypes.counts(), v.failedSites.counts()
	for _, c := range r.FailedTypes {
		r.FailedAllocs += c.Count // until the end has the count
	}
	a.describe(r, &v.start.Request)
	return r
}

// sum groups all there is into one.
func (v *verification) sum() record.Group {
	if len(v.leaves) == 0 {
		return record.Group{Latency: emptyHistogram()}
	}
	return v.group(func(*leaf) string { return "" }, func(*leaf) *meter { return &v.total })[0]
}

func emptyHistogram() record.Histogram {
	var r record.Recorder
	return r.Histogram()
}

func (v *verification) incomplete(a *Assembler, reason string) *record.Verification {
	r := v.record(a)
	r.Outcome, r.Verdict = record.OutcomeIncomplete, record.VerdictIncomplete
	r.IncompleteReason = reason
	r.Lossy = append(v.losses(a, 0), record.Loss{Reason: record.LossIncomplete, Count: 1})
	return r
}

func (v *verification) finish(a *Assembler, e *Event) *record.Verification {
	r := v.record(a)
	end, result := e.End, &e.End.Result
	a.describe(r, &end.Request)
	begin := end.BeginNS
	if begin == 0 {
		begin = v.startNS
	}
	r.TimeUnixNS = int64(begin) + a.options.UnixOffsetNS
	if end.ReleaseNS > begin {
		r.DurationNS = end.ReleaseNS - begin
	}
	a.describeReturn(r, e)
	r.ProgID = end.ProgID
	v.describeReason(r, end)
	if end.ReleaseNS > 0 { // until then they are the task's since its start
		r.PageFaults = end.Usage.MinorFaults + end.Usage.MajorFaults
		r.MajorFaults = end.Usage.MajorFaults
		r.ContextSwitches = end.Usage.VoluntarySwitches + end.Usage.InvoluntarySwitches
		r.Preemptions = end.Usage.InvoluntarySwitches
		if off := end.Usage.OffCPUNS; off < r.DurationNS {
			r.CPUTimeNS = r.DurationNS - off
		}
	}
	if v.received.visits > 0 || end.VisitEntries > 0 {
		r.Visits = &record.Visits{
			Count:     max(v.received.visits, end.VisitEntries),
			PruneHits: v.visits.hits,
			Missed:    distance(v.received.visits, end.VisitEntries),
			Latency:   v.visits.latency.Histogram(),
		}
	}
	r.Lossy = v.losses(a, v.blind(a, end))
	lose := func(reason string, count uint64) {
		if count > 0 {
			r.Lossy = append(r.Lossy, record.Loss{Reason: reason, Count: count})
		}
	}
	lose(record.LossRingFull, end.Dropped)
	missing := distance(end.Allocs, v.received.allocs) + distance(end.Frees, v.received.frees) +
		distance(end.Visits, v.received.visits) + distance(end.Names, v.received.names) +
		distance(end.FailedEvents, v.received.failed)
	lose(record.LossEventsMissing, missing-min(missing, end.Dropped))
	if result.Valid && end.ReleaseNS > 0 {
		a.identify(r, &end.Request, result)
		v.names.describe(r, result)
		a.describeResult(r, result)
		lose(record.LossTotalStates, distance(r.StateListAllocs, uint64(result.TotalStates)))
		lose(record.LossPeakStates, distance(r.TracedPeak, uint64(result.PeakStates)))
		lose(record.LossUnfreed, v.unfreed())
	} else {
		lose(record.LossNoResult, 1)
	}
	if !end.Returned {
		lose(record.LossIncomplete, 1)
	}
	r.Exact = len(r.Lossy) == 0
	return r
}

// losses lists the losses that need no end of the load to be seen. The count of blind
// slices comes with the end: 0 without one.
func (v *verification) losses(a *Assembler, blind uint64) []record.Loss {
	losses := []record.Loss{}
	lose := func(reason string, count uint64) {
		if count > 0 {
			losses = append(losses, record.Loss{Reason: reason, Count: count})
		}
	}
	lose(record.LossRecursion, a.missedSince(v.startNS))
	lose(record.LossBlind, blind)
	if a.options.Nameless {
		lose(record.LossSitesUnresolved, 1)
	}
	var unmatched uint64
	for callSite, n := range v.foreign {
		if v.ownedFrees[callSite] {
			unmatched += n
		}
	}
	lose(record.LossUnmatchedFrees, unmatched)
	lose(record.LossUnseenFrees, v.unseen)
	return losses
}

// blind counts the slices in which the kernel may have skipped programs of the ledger.
func (a *Assembler) blind(end *End) uint64 {
	if a.options.Seeing {
		return 0
	}
	return end.Blind
}

// blind counts them also where they have hidden an area's caller alone: its type and its size
// are not known then.
func (v *verification) blind(a *Assembler, end *End) uint64 {
	if v.callerless && a.options.Callers {
		return end.Blind
	}
	return a.blind(end)
}

// unfreed counts objects that are live after the verifier must have freed them.
func (v *verification) unfreed() uint64 {
	var n uint64
	for _, s := range v.live.slots {
		if s.pointer != 0 && v.leaves[s.object.leaf].site.temporary {
			n++
		}
	}
	return n
}

func (a *Assembler) describeResult(r *record.Verification, result *Result) {
	if r.Inputs != nil {
		r.Inputs.LogLevel, r.Inputs.LogBytes = result.LogLevel, result.LogBytes
		gpl, attachProg := result.GPL, result.AttachProg // result is used again
		r.Inputs.GPL, r.Inputs.AttachProg = &gpl, &attachProg
		r.Inputs.AttachBTFID = result.AttachBTFID
		r.Inputs.Privileges = result.Privileges.names()
	}
	r.ProgTag = hex.EncodeToString(result.Tag[:])
	r.XlatedInsns = result.XlatedInsns
	r.Subprograms = result.Subprograms
	r.VerifierTimeNS = result.VerificationTimeNS
	r.InsnsProcessed = uint64(result.InsnsProcessed)
	r.TotalStates = uint64(result.TotalStates)
	r.PeakStates = uint64(result.PeakStates)
	r.MaxStatesPerInsn = uint64(result.MaxStatesPerInsn)
	r.LongestMarkReadWalk = uint64(result.LongestMarkReadWalk)
}

// describeReturn fills in the verdict and the system call's time.
func (a *Assembler) describeReturn(r *record.Verification, e *Event) {
	end := e.End
	if end.EnterNS > 0 && e.TimeNS > end.EnterNS {
		r.SyscallNS = e.TimeNS - end.EnterNS
	}
	if !end.Returned {
		r.IncompleteReason = "the return of bpf(2) was not seen"
	}
	describeOutcome(r, end)
	a.describeFailures(r, end)
}

// unverified records a load without a verification. Where it failed, it did so before
// bpf_check() had allocated its env; where it did not, failed later, or may have, its
// verification was missed. Where events may have been hidden, which of these it was is not known.
func (a *Assembler) unverified(e *Event) *record.Verification {
	r := a.bare(e)
	begin := e.End.EnterNS
	if begin == 0 {
		begin = e.TimeNS
	}
	r.TimeUnixNS = int64(begin) + a.options.UnixOffsetNS
	end := e.End
	later := end.BeginNS > 0 && end.Ret != -int64(syscall.ENOMEM)
	if !end.Returned || end.Ret >= 0 || later {
		r.ReachedVerifier = end.Returned
		r.Lossy = append(r.Lossy, record.Loss{Reason: record.LossStartMissed, Count: 1})
	}
	a.describeReturn(r, e)
	if blind := a.blind(end); blind > 0 {
		r.Lossy = append(r.Lossy, record.Loss{Reason: record.LossBlind, Count: blind})
	}
	return r
}

// orphan records a load that began before the probes were live.
func (a *Assembler) orphan(e *Event) []*record.Verification {
	if !a.wants(e.End.Request) {
		return nil
	}
	r := a.bare(e)
	r.TimeUnixNS = int64(e.TimeNS) + a.options.UnixOffsetNS
	a.describeReturn(r, e)
	r.Outcome, r.Verdict = record.OutcomeIncomplete, record.VerdictIncomplete
	r.IncompleteReason = "it began before the probes were live"
	if e.End.NoRoom {
		r.IncompleteReason = "too many loads were in flight"
	}
	r.Lossy = []record.Loss{{Reason: record.LossIncomplete, Count: 1}}
	return []*record.Verification{a.neverBegan(r)}
}

// bare is a record of a load of which only the return was seen.
func (a *Assembler) bare(e *Event) *record.Verification {
	end := e.End
	r := &record.Verification{
		Head: record.NewHead(record.KindVerification),
		PID:  end.PID, TID: e.TID, Comm: end.Comm, UID: end.UID, CgroupID: end.CgroupID,
		Latency: emptyHistogram(),
		Lossy:   []record.Loss{},
		Types:   []record.Group{}, Caches: []record.Group{}, Sites: []record.Group{}, Paths: []record.Group{},
	}
	place := a.placeOf(end.CgroupID, end.PID, end.ProcessStartNS)
	place.describe(r)
	a.describe(r, &end.Request)
	return r
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }
