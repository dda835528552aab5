package assemble

import (
	"encoding/json"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// reader gives the fuzzer's bytes one by one, and zeros after the last.
type reader struct{ data []byte }

func (r *reader) next() uint64 {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return uint64(b)
}

// The functions of fuzzed call sites; the last call site is not known.
var fuzzFunctions = []string{
	"do_check_common", "push_stack", "copy_verifier_state", "free_states", "bpf_check", "check_cfg", "rcu_do_batch", "",
}

// event makes an event of few bytes. Ids, threads, pointers and sizes are of so
// few kinds that events come to deal with each other's objects.
func (r *reader) event(kernel Kernel, x *text) Event {
	e := Event{
		Kind: Kind(r.next() % 9), Verification: r.next() % 4, TID: uint32(r.next() % 3), TimeNS: r.next(),
	}
	switch e.Kind {
	case KindStart:
		e.Start = &Start{Env: r.next() % 8, Request: Request{Inputs: record.Inputs{From: []record.InputsFrom{"", record.InputsFromKernel}[r.next()%2]}}}
	case KindAlloc, KindFree:
		e.Pointer = r.next() % 8
		if function := fuzzFunctions[r.next()%uint64(len(fuzzFunctions))]; function != "" {
			e.CallSite = x.at(function, r.next())
		}
		sizes := []uint64{0, 8, 9000, kernel.Env, kernel.State, kernel.StateList, kernel.StackElem, kernel.FuncState, kernel.SCCBackedge, kernel.InsnAux}
		e.Requested = sizes[r.next()%uint64(len(sizes))]
		e.Allocated = e.Requested + r.next()
		e.Source, e.Path = Source(r.next()%5), uint8(r.next())
		e.GFP = uint32(r.next() | r.next()<<16)
		e.Cache = r.next() % 3
		if e.LatencyNS = r.next() << (r.next() % 64); r.next()%3 == 0 {
			e.LatencyNS = LatencyNone
		}
	case KindVisit:
		e.LatencyNS, e.Result = r.next(), int32(int8(r.next()))
	case KindCache:
		e.Cache, e.Name = r.next()%3, string(rune('a'+r.next()%26))
	case KindEnd, KindOrphan:
		e.End = &End{
			ReleaseNS: r.next(), BeginNS: r.next(), EnterNS: r.next(), Returned: r.next()%4 != 0, Ret: int64(int8(r.next())),
			Allocs: r.next(), Frees: r.next(), Visits: r.next(), Dropped: r.next() % 2, VisitEntries: r.next(),
			Result: Result{Valid: r.next()%4 != 0, TotalStates: uint32(r.next() % 4), PeakStates: uint32(r.next() % 4)},
		}
	}
	return e
}

func FuzzAssemble(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 1, 1, 0, 1, 1, 2, 1, 1, 0, 1, 1, 0, 5, 0, 6, 1, 1, 9, 9, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0})
	f.Add([]byte("\x01\x01\x01\x00\x00\x01\x01\x01\x01\x02\x00\x01\x06\x01\x00\x00\x01\x02\x01\x00\x00\x01"))
	seed := make([]byte, 600)
	for i := range seed {
		seed[i] = byte(i*7 + i/13)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data: data}
		kernel := []Kernel{kernel6_1, kernel6_18, kernel7_3}[r.next()%3]
		x := &text{}
		for _, function := range fuzzFunctions {
			x.at(function, 0)
		}
		var allocs, frees uint64
		options := Options{OnEvent: func(e *record.Event) {
			switch e.Op {
			case record.OpAlloc:
				allocs++
			case record.OpFree:
				frees++
			default:
				t.Errorf("event of operation %q", e.Op)
			}
		}}
		if r.next()%2 == 0 {
			var missed, now uint64
			options.Missed = func() (uint64, uint64) {
				missed += r.next() % 2
				now += r.next()
				return missed, now
			}
		}
		a := New(kernel, x, options)
		started := map[uint64]int{}
		var records []*record.Verification
		for len(r.data) > 0 {
			e := r.event(kernel, x)
			if e.Kind == KindStart {
				started[e.Verification]++
			}
			done := a.Add(&e)
			switch e.Kind {
			case KindStart, KindEnd, KindOrphan:
			default:
				if len(done) != 0 {
					t.Fatalf("event of kind %d completed %d verifications", e.Kind, len(done))
				}
			}
			records = append(records, done...)
		}
		records = append(records, a.Finish("over")...)
		if rest := a.Finish("again"); len(rest) != 0 {
			t.Errorf("%d verifications after the last", len(rest))
		}
		var sum record.Group
		var foreign uint64
		for _, v := range records {
			checkSums(t, v)
			if v.ReachedVerifier && losses(v)[record.LossStartMissed] == 0 {
				if started[v.ID]--; started[v.ID] < 0 {
					t.Errorf("verification %d was yielded more often than it started", v.ID)
				}
			}
			sum.Allocs += v.Allocs
			sum.Frees += v.Frees
			foreign += v.ForeignFrees
			if _, err := json.Marshal(v); err != nil {
				t.Error(err)
			}
		}
		for id, n := range started {
			if n > 0 {
				t.Errorf("%d starts of verification %d gave no record", n, id)
			}
		}
		// Each object in a record was an event before. (Handed out again
		// without a free, an object leaves without an event.)
		if sum.Allocs != allocs || sum.Frees+foreign < frees {
			t.Errorf("%d allocations and %d frees in records, %d and %d events", sum.Allocs, sum.Frees+foreign, allocs, frees)
		}
	})
}
