package assemble

import (
	"slices"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// fromKernel are the inputs of a load of which nothing is asked but the program.
var fromKernel = record.Inputs{From: record.InputsFromKernel}

// Kernels with the sizes that they have as Debian builds them.
var (
	kernel6_1 = Kernel{
		PeakRule: PeakFinal, PageSize: 4096, AccountedCaches: true,
		Env: 7576, State: 120, StateList: 136, StackElem: 144, FuncState: 1392, InsnAux: 56,
	}
	kernel6_12 = Kernel{
		PeakRule: PeakFinal, PageSize: 4096, AccountedCaches: true,
		Env: 25368, State: 160, StateList: 176, StackElem: 184, FuncState: 1384, InsnAux: 80,
	}
	kernel6_18 = Kernel{
		PeakRule: PeakMaximum, PageSize: 4096, AccountedCaches: true,
		Env: 26456, State: 168, StateList: 192, StackElem: 192, FuncState: 1280, SCCBackedge: 176, InsnAux: 104,
	}
	kernel7_3 = Kernel{
		PeakRule: PeakMaximum, PageSize: 4096, AccountedCaches: true,
		Env: 53720, State: 232, StateList: 256, StackElem: 264, FuncState: 952, SCCBackedge: 240, InsnAux: 112,
	}
)

// text gives each function that is asked for a page of made-up addresses.
type text struct{ functions []string }

const textBase = 0xffffffff81000000

func (x *text) at(function string, offset uint64) uint64 {
	i := slices.Index(x.functions, function)
	if i < 0 {
		i = len(x.functions)
		x.functions = append(x.functions, function)
	}
	return textBase + uint64(i)<<12 + offset
}

func (x *text) Symbol(addr uint64) (string, uint64) {
	i := (addr - textBase) >> 12
	if addr < textBase || i >= uint64(len(x.functions)) {
		return "", 0
	}
	return x.functions[i], addr & 0xfff
}

// stream writes events as the kernel side sends them, one each 100 ns.
type stream struct {
	*Assembler
	t       testing.TB
	kernel  Kernel
	text    *text
	clock   uint64
	lastID  uint64
	pointer uint64
	event   Event
	start   Start
	end     End
}

func newStream(t testing.TB, kernel Kernel, options Options) *stream {
	x := &text{}
	return &stream{Assembler: New(kernel, x, options), t: t, kernel: kernel, text: x, clock: 1e9, pointer: 0xffff888000000000}
}

// add hands an event over in memory that is overwritten afterwards, as the
// decoder does it: the assembler must not keep any of it.
func (s *stream) add(e Event) []*record.Verification {
	s.clock += 100
	if e.TimeNS == 0 {
		e.TimeNS = s.clock
	}
	s.event = e
	if e.Start != nil {
		s.start = *e.Start
		s.event.Start = &s.start
	}
	if e.End != nil {
		s.end = *e.End
		s.event.End = &s.end
	}
	done := s.Add(&s.event)
	s.event = Event{Pointer: 0xbad, Requested: 0xbad, LatencyNS: 0xbad}
	s.start = Start{Comm: "overwritten"}
	s.end = End{Comm: "overwritten"}
	return done
}

// none adds an event that must complete nothing.
func (s *stream) none(e Event) {
	s.t.Helper()
	if done := s.add(e); len(done) != 0 {
		s.t.Fatalf("event of kind %d completed %d verifications, want none", e.Kind, len(done))
	}
}

// fresh returns a pointer that was not handed out yet.
func (s *stream) fresh() uint64 {
	s.pointer += 0x4000
	return s.pointer
}

// load is a verification being written: end gathers what its end will tell.
type load struct {
	s   *stream
	id  uint64
	tid uint32
	env uint64
	end End
}

// start begins a verification in a thread, up to its env's allocation. It must
// not complete any other.
func (s *stream) startLoad(tid uint32) *load {
	s.t.Helper()
	l, done := s.startAfter(tid)
	if len(done) != 0 {
		s.t.Fatalf("a start in thread %d completed %d verifications, want none", tid, len(done))
	}
	return l
}

// startAfter begins a verification and returns those that this completes.
func (s *stream) startAfter(tid uint32) (*load, []*record.Verification) {
	s.lastID++
	request := Request{Name: "prog", ProgType: 1, InsnCount: 12, Inputs: fromKernel}
	l := &load{s: s, id: s.lastID, tid: tid, env: s.fresh()}
	l.end = End{
		Request: request, PID: 42, UID: 1000, Comm: "loader", CgroupID: 7,
		EnterNS: s.clock - 50, BeginNS: s.clock, Returned: true, Ret: 5,
		Result: Result{
			Valid: true, VerificationTimeNS: 900, InsnsProcessed: 30, MaxStatesPerInsn: 1, LongestMarkReadWalk: 2,
			Subprograms: 1, ProgType: 1, XlatedInsns: 14, Tag: [8]byte{0xde, 0xad, 7: 1}, Name: "prog",
		},
	}
	done := s.add(Event{Kind: KindStart, TID: tid, Verification: l.id, Start: &Start{
		Request: request, Env: l.env, CgroupID: 7, PID: 42, UID: 1000, Comm: "loader",
	}})
	if s.kernel.large(s.kernel.Env) {
		// Told twice, and behind kvmalloc's wrapper.
		l.allocAt(l.env, "__kmalloc_large_node_noprof", s.kernel.Env, func(e *Event) { e.LatencyNS = 700 })
		l.allocAt(l.env, "__kvmalloc_node_noprof", s.kernel.Env, func(e *Event) { e.LatencyNS = LatencyNone })
	} else {
		l.allocAt(l.env, "bpf_check", s.kernel.Env)
	}
	return l, done
}

// slabSize is what kmalloc() gives for a request: of a size class or of pages.
func slabSize(requested uint64) uint64 {
	for _, size := range []uint64{8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192} {
		if requested <= size {
			return size
		}
	}
	size := uint64(16384)
	for size < requested {
		size *= 2
	}
	return size
}

// alloc writes an allocation by a function and returns its pointer. Unless
// tweaked it is a kmalloc on the fast path that took 50 ns.
func (l *load) alloc(function string, requested uint64, tweaks ...func(*Event)) uint64 {
	l.s.t.Helper()
	p := l.s.fresh()
	l.allocAt(p, function, requested, tweaks...)
	return p
}

func (l *load) allocAt(p uint64, function string, requested uint64, tweaks ...func(*Event)) {
	l.s.t.Helper()
	e := Event{
		Kind: KindAlloc, Source: SourceKmalloc, Path: 1, CPU: 3, TID: l.tid, Verification: l.id,
		Pointer: p, CallSite: l.s.text.at(function, 0x42), Requested: requested, Allocated: slabSize(requested),
		LatencyNS: 50, GFP: 0xdc0, Node: -1,
	}
	for _, tweak := range tweaks {
		tweak(&e)
	}
	l.end.Allocs++
	l.s.none(e)
}

// list writes the allocation of a state list, which total_states counts.
func (l *load) list() uint64 {
	l.s.t.Helper()
	l.end.Result.TotalStates++
	return l.alloc(l.visitor(), l.s.kernel.StateList)
}

// visitor is the function that holds is_state_visited(): from 7.1 it is one.
func (l *load) visitor() string {
	if l.s.kernel.StateList == kernel7_3.StateList {
		return "bpf_is_state_visited"
	}
	return "do_check_common"
}

func (l *load) free(p uint64, function string) {
	l.s.t.Helper()
	l.end.Frees++
	l.s.none(Event{
		Kind: KindFree, CPU: 3, TID: l.tid, Verification: l.id, Pointer: p, CallSite: l.s.text.at(function, 0x10),
	})
}

func (l *load) visit(result int32, latency uint64) {
	l.s.t.Helper()
	l.end.Visits++
	l.end.VisitEntries++
	l.s.none(Event{Kind: KindVisit, TID: l.tid, Verification: l.id, LatencyNS: latency, Result: result})
}

// peak sets what the verifier says peak_states were.
func (l *load) peak(n uint32) *load {
	l.end.Result.PeakStates = n
	return l
}

// finish frees env and ends the load, and returns the one record of it.
func (l *load) finish(tweaks ...func(*End)) *record.Verification {
	l.s.t.Helper()
	l.free(l.env, "bpf_check")
	l.end.ReleaseNS = l.s.clock
	return l.finishBare(tweaks...)
}

// finishBare ends the load as it stands.
func (l *load) finishBare(tweaks ...func(*End)) *record.Verification {
	l.s.t.Helper()
	for _, tweak := range tweaks {
		tweak(&l.end)
	}
	end := l.end
	done := l.s.add(Event{Kind: KindEnd, TID: l.tid, Verification: l.id, End: &end})
	if len(done) != 1 {
		l.s.t.Fatalf("the end of %d completed %d verifications, want 1", l.id, len(done))
	}
	return done[0]
}

// subprogram writes the verification of one subprogram: n state lists, of which
// evicted are freed on the way, and a branch. What is left is freed at its end.
func (l *load) subprogram(n, evicted int) {
	l.s.t.Helper()
	current := l.alloc("do_check_common", l.s.kernel.State)
	frame := l.alloc("do_check_common", l.s.kernel.FuncState)
	branch := l.alloc("push_stack", l.s.kernel.StackElem)
	var lists []uint64
	for range n {
		lists = append(lists, l.list())
	}
	for range evicted {
		l.free(lists[0], l.visitor())
		lists = lists[1:]
	}
	l.free(branch, "pop_stack")
	l.free(frame, "free_verifier_state")
	l.free(current, "free_states")
	for _, p := range lists {
		l.free(p, "free_states")
	}
}

func ret(n int64) func(*End) { return func(e *End) { e.Ret = n } }

// losses gives a record's losses by reason.
func losses(v *record.Verification) map[string]uint64 {
	m := map[string]uint64{}
	for _, l := range v.Lossy {
		m[l.Reason] += l.Count
	}
	return m
}

// wantLoss checks that a record has this loss and no other.
func wantLoss(t *testing.T, v *record.Verification, reason string, count uint64) {
	t.Helper()
	got := losses(v)
	if len(got) != 1 || got[reason] != count {
		t.Errorf("losses %v, want only %s: %d", got, reason, count)
	}
	if v.Exact {
		t.Error("exact in spite of a loss")
	}
}

func wantExact(t *testing.T, v *record.Verification) {
	t.Helper()
	if !v.Exact || len(v.Lossy) != 0 {
		t.Errorf("exact is %v with losses %v, want an exact record", v.Exact, v.Lossy)
	}
}

// groupOf returns the group of a name, zero if there is none.
func groupOf(groups []record.Group, name string) record.Group {
	for _, g := range groups {
		if g.Name == name {
			return g
		}
	}
	return record.Group{}
}

func names(groups []record.Group) []string {
	ns := []string{}
	for _, g := range groups {
		ns = append(ns, g.Name)
	}
	slices.Sort(ns)
	return ns
}

// checkSums checks what holds of every record, whatever the events were.
func checkSums(t *testing.T, v *record.Verification) {
	t.Helper()
	if v.Outlived != v.Allocs-v.Frees || v.Frees > v.Allocs {
		t.Errorf("outlived %d with %d allocations and %d frees", v.Outlived, v.Allocs, v.Frees)
	}
	if v.Exact && (len(v.Lossy) != 0 || v.StateListAllocs != v.TotalStates || v.TracedPeak != v.PeakStates) {
		t.Errorf("exact, with %d of %d states, peak %d of %d and losses %v",
			v.StateListAllocs, v.TotalStates, v.TracedPeak, v.PeakStates, v.Lossy)
	}
	if v.ReachedVerifier && v.Exact != (len(v.Lossy) == 0) {
		t.Errorf("exact is %v with losses %v", v.Exact, v.Lossy)
	}
	for _, l := range v.Lossy {
		if l.Count == 0 {
			t.Errorf("loss %s counts nothing", l.Reason)
		}
	}
	if v.PeakLiveAccountedBytes > v.PeakLiveBytes || v.PeakLiveBytes > v.BytesAllocated {
		t.Errorf("peak %d bytes, %d of them accounted, of %d allocated", v.PeakLiveBytes, v.PeakLiveAccountedBytes, v.BytesAllocated)
	}
	if v.LatencyCoverage < 0 || v.LatencyCoverage > 1 {
		t.Errorf("latency coverage %v", v.LatencyCoverage)
	}
	checkHistogram(t, "all", v.Latency, v.Allocs)
	for _, d := range record.Dimensions {
		heading, groups := d.Name, *d.Groups(v)
		if groups == nil {
			t.Errorf("%s is null in JSON", heading)
		}
		var sum record.Group
		var largest uint64
		seen := map[string]bool{}
		for _, g := range groups {
			if seen[g.Name] {
				t.Errorf("%s has %q twice", heading, g.Name)
			}
			seen[g.Name] = true
			if g.Allocs == 0 || g.Outlived != g.Allocs-g.Frees || g.PeakLive > g.Allocs || g.PeakLive < g.Outlived ||
				g.PeakLiveBytes > g.BytesAllocated || g.AllocTimeNS != g.Latency.SumNS {
				t.Errorf("%s %q does not add up: %+v", heading, g.Name, g)
			}
			checkHistogram(t, heading+" "+g.Name, g.Latency, g.Allocs)
			sum.Allocs += g.Allocs
			sum.Frees += g.Frees
			sum.Outlived += g.Outlived
			sum.BytesRequested += g.BytesRequested
			sum.BytesAllocated += g.BytesAllocated
			sum.PeakLiveBytes += g.PeakLiveBytes
			sum.AllocTimeNS += g.AllocTimeNS
			sum.Latency.Count += g.Latency.Count
			largest = max(largest, g.PeakLiveBytes)
		}
		if sum.Allocs != v.Allocs || sum.Frees != v.Frees || sum.Outlived != v.Outlived ||
			sum.BytesRequested != v.BytesRequested || sum.BytesAllocated != v.BytesAllocated ||
			sum.AllocTimeNS != v.AllocTimeNS || sum.Latency.Count != v.Latency.Count {
			t.Errorf("%s sum to %+v, the verification has %+v", heading, sum, v)
		}
		// Peaks do not add up, but the whole lies between.
		if v.PeakLiveBytes < largest || v.PeakLiveBytes > sum.PeakLiveBytes {
			t.Errorf("%s: peak of %d bytes, of groups %d to %d", heading, v.PeakLiveBytes, largest, sum.PeakLiveBytes)
		}
		if !slices.IsSortedFunc(groups, func(a, b record.Group) int { return int(int64(b.Allocs) - int64(a.Allocs)) }) {
			t.Errorf("%s are not sorted by allocations", heading)
		}
	}
}

func checkHistogram(t *testing.T, of string, h record.Histogram, allocs uint64) {
	t.Helper()
	var sum uint64
	for _, n := range h.Counts {
		sum += n
	}
	if h.Count > allocs || sum != h.Count || len(h.Counts) != len(h.UpperBoundsNS) || h.Counts == nil {
		t.Errorf("%s: histogram of %d latencies, %d in buckets, for %d allocations", of, h.Count, sum, allocs)
	}
	if !slices.IsSorted(h.UpperBoundsNS) || h.MinNS > h.MaxNS {
		t.Errorf("%s: histogram is out of order: %+v", of, h)
	}
}
