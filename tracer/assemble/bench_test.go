package assemble

import "testing"

// stress is the event stream of one verification of a program with a thousand
// branches: some 8,700 objects, a tenth of them state lists.
func stress() (kernel Kernel, symbols Symbols, events []Event) {
	kernel = kernel6_18
	x := &text{}
	pointer, clock := uint64(0xffff888000000000), uint64(1e9)
	add := func(e Event) {
		clock += 100
		e.Verification, e.TID, e.TimeNS = 1, 7, clock
		events = append(events, e)
	}
	var allocs, frees uint64
	alloc := func(function string, requested uint64) uint64 {
		pointer += 4096
		allocs++
		add(Event{
			Kind: KindAlloc, Source: SourceKmalloc, Path: 1, Pointer: pointer, CallSite: x.at(function, 0x42),
			Requested: requested, Allocated: slabSize(requested), LatencyNS: 40 + pointer>>12&63, GFP: 0x400dc0, Node: -1,
		})
		return pointer
	}
	free := func(p uint64, function string) {
		frees++
		add(Event{Kind: KindFree, Pointer: p, CallSite: x.at(function, 0x10)})
	}
	env := pointer + 4096
	request := Request{Name: "stress", ProgType: 1, InsnCount: 4000, Inputs: fromKernel}
	add(Event{Kind: KindStart, Start: &Start{Request: request, Env: env, PID: 42, Comm: "loader"}})
	alloc("bpf_check", kernel.Env)
	current := alloc("do_check_common", kernel.State)
	var lists []uint64
	for i := range 870 {
		list := alloc("do_check_common", kernel.StateList)
		lists = append(lists, list, alloc("copy_verifier_state", kernel.FuncState), alloc("copy_array", uint64(16+i%32*16)))
		branch := []uint64{
			alloc("push_stack", kernel.StackElem), alloc("copy_verifier_state", kernel.FuncState),
			alloc("copy_array", 64), alloc("copy_array", 128),
		}
		for j := range 3 {
			branch = append(branch, alloc("push_jmp_history", uint64(16+j*16)))
		}
		for _, p := range branch {
			free(p, "free_verifier_state")
		}
		add(Event{Kind: KindVisit, LatencyNS: 300, Result: int32(i % 2)})
	}
	free(current, "free_states")
	for _, p := range lists {
		free(p, "free_states")
	}
	free(env, "bpf_check")
	add(Event{Kind: KindEnd, End: &End{
		Request: request, Returned: true, Ret: 5, BeginNS: 1e9, ReleaseNS: clock, Allocs: allocs, Frees: frees,
		Visits: 870, VisitEntries: 870, Result: Result{Valid: true, TotalStates: 870, PeakStates: 870},
	}})
	return kernel, x, events
}

func BenchmarkAssemble(b *testing.B) {
	kernel, symbols, events := stress()
	a := New(kernel, symbols, Options{})
	b.ReportAllocs()
	for b.Loop() {
		for i := range events {
			e := events[i] // as the decoder overwrites its own
			if done := a.Add(&e); done != nil && !done[0].Exact {
				b.Fatalf("not exact: %+v", done[0].Lossy)
			}
		}
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(events)), "events/op")
}

// The same events, of eight loads at once.
func BenchmarkAssembleAtOnce(b *testing.B) {
	const loads, batch = 8, 30
	kernel, symbols, events := stress()
	a := New(kernel, symbols, Options{})
	b.ReportAllocs()
	for later := uint64(0); b.Loop(); later += 1e9 {
		for from := 0; from < len(events); from += batch {
			for n := range uint64(loads) {
				for _, e := range events[from:min(from+batch, len(events))] {
					e.Verification, e.TID, e.TimeNS = n+1, uint32(n), e.TimeNS+later
					if e.End != nil {
						end := *e.End
						end.ReleaseNS += later
						e.End = &end
					}
					if done := a.Add(&e); done != nil && !done[0].Exact {
						b.Fatalf("not exact: %+v", done[0].Lossy)
					}
				}
			}
		}
	}
	if together := a.Simultaneous(); !together.Exact || together.Loads != loads {
		b.Errorf("together %+v", together)
	}
	b.ReportMetric(float64(loads*len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
}
