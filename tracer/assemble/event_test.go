package assemble

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

// keep copies what the assembler hands out, for it reuses the record.
func keep(kept *[]record.Event) func(*record.Event) {
	return func(e *record.Event) {
		c := *e
		for _, p := range []**uint64{&c.LatencyNS, &c.LifetimeNS} {
			if *p != nil {
				v := **p
				*p = &v
			}
		}
		if c.Node != nil {
			n := *c.Node
			c.Node = &n
		}
		*kept = append(*kept, c)
	}
}

func TestOnEvent(t *testing.T) {
	var got []record.Event
	s := newStream(t, kernel6_1, Options{UnixOffsetNS: 1e9, OnEvent: keep(&got)})
	l := s.startLoad(6)
	got = nil
	l.allocAt(0xa000, "do_check_common", kernel6_1.StateList, func(e *Event) {
		e.TimeNS, e.Path, e.LatencyNS, e.Node, e.CPU = 2000, 2, 33, 1, 5
	})
	l.allocAt(0xb000, "check_cfg", 20, func(e *Event) { e.TimeNS, e.LatencyNS, e.GFP = 2100, LatencyNone, 0x400dc0 })
	free := func(pointer, time uint64, function string) {
		s.none(Event{
			Kind: KindFree, CPU: 4, TID: 6, Verification: l.id, Pointer: pointer,
			CallSite: s.text.at(function, 0x10), TimeNS: time,
		})
	}
	free(0xa000, 2500, "free_states")
	free(0xa000, 2600, "rcu_do_batch")

	head := record.Head{Schema: record.Schema, Kind: "event"}
	node := func(n int) *int { return &n }
	ns := func(n uint64) *uint64 { return &n }
	want := []record.Event{
		{
			Head: head, Verification: l.id, Op: "alloc", TimeUnixNS: 1e9 + 2000, TID: 6, CPU: 5, Pointer: 0xa000,
			Type: "state_list", CallSite: "do_check_common+0x42", Requested: 136, Allocated: 192, Cache: "kmalloc-192",
			LatencyNS: ns(33), Path: "slow", GFP: 0xdc0, Node: node(1),
		},
		{
			Head: head, Verification: l.id, Op: "alloc", TimeUnixNS: 1e9 + 2100, TID: 6, CPU: 3, Pointer: 0xb000,
			Type: "cfg", CallSite: "check_cfg+0x42", Requested: 20, Allocated: 32, Cache: "kmalloc-cg-32",
			Path: "fast", GFP: 0x400dc0, Node: node(-1),
		},
		{
			Head: head, Verification: l.id, Op: "free", TimeUnixNS: 1e9 + 2500, TID: 6, CPU: 4, Pointer: 0xa000,
			Type: "state_list", CallSite: "free_states+0x10", Requested: 136, Allocated: 192, Cache: "kmalloc-192",
			LifetimeNS: ns(500),
		},
		{
			Head: head, Verification: l.id, Op: "free", TimeUnixNS: 1e9 + 2600, TID: 6, CPU: 4, Pointer: 0xa000,
			CallSite: "rcu_do_batch+0x10", Foreign: true,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

// A large kmalloc is one event, with the time of its first report.
func TestOnEventOfLargeKmalloc(t *testing.T) {
	var got []record.Event
	s := newStream(t, kernel6_1, Options{OnEvent: keep(&got)})
	l := s.startLoad(6)
	got = nil
	l.allocAt(0xa000, "inner", 9000, func(e *Event) { e.TimeNS, e.LatencyNS = 2000, 70 })
	if len(got) != 0 {
		t.Fatalf("%d events before the second report", len(got))
	}
	l.allocAt(0xa000, "outer", 9000, func(e *Event) { e.TimeNS, e.LatencyNS = 2300, LatencyNone })
	if len(got) != 1 {
		t.Fatalf("%d events, want 1", len(got))
	}
	if e := got[0]; e.TimeUnixNS != 2000 || e.CallSite != "outer+0x42" || e.LatencyNS == nil || *e.LatencyNS != 70 || e.Path != "page" {
		t.Errorf("got %+v", e)
	}
}

// Events and record hold the same objects.
func TestEventsSumToRecord(t *testing.T) {
	var events []record.Event
	s := newStream(t, kernel6_18, Options{OnEvent: keep(&events)})
	var sum record.Group
	var foreign uint64
	v := writeAccepted(s)[0]
	for _, e := range events {
		switch {
		case e.Op == record.OpAlloc:
			sum.Allocs++
			sum.BytesRequested += e.Requested
			sum.BytesAllocated += e.Allocated
		case e.Foreign:
			foreign++
		default:
			sum.Frees++
		}
	}
	if sum.Allocs != v.Allocs || sum.Frees != v.Frees || foreign != v.ForeignFrees ||
		sum.BytesRequested != v.BytesRequested || sum.BytesAllocated != v.BytesAllocated {
		t.Errorf("events sum to %+v and %d foreign frees, the record has %+v", sum, foreign, v)
	}
}
