package tracer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestSelect(t *testing.T) {
	types := map[uint32]string{1: "socket_filter", 2: "kprobe"}
	for _, c := range []struct {
		name    string
		s       Select
		program string
		kind    uint32
		took    time.Duration
		wants   bool // as it starts
		selects bool // as it ends
	}{
		{"all", Select{}, "prog", 1, 0, true, true},
		{"name", Select{Prog: "prog"}, "prog", 1, 0, true, true},
		{"other name", Select{Prog: "prog"}, "prog2", 1, 0, false, false},
		{"glob", Select{Prog: "pr?g*"}, "prog2", 1, 0, true, true},
		{"class", Select{Prog: "prog[13]"}, "prog2", 1, 0, false, false},
		{"type", Select{Type: "kprobe"}, "prog", 2, 0, true, true},
		{"other type", Select{Type: "kprobe"}, "prog", 1, 0, false, false},
		{"type without a name", Select{Type: "99"}, "prog", 99, 0, true, true},
		{"glob but other type", Select{Prog: "*", Type: "kprobe"}, "prog", 1, 0, false, false},
		{"long enough", Select{MinTime: time.Millisecond}, "prog", 1, time.Millisecond, true, true},
		{"too short shows at the end", Select{MinTime: time.Millisecond}, "prog", 1, time.Millisecond - 1, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer := &Tracer{config: Config{Select: c.s}, progTypes: types}
			if got := tracer.wants(assemble.Request{Name: c.program, ProgType: c.kind, Inputs: record.Inputs{From: record.InputsFromKernel}}); got != c.wants {
				t.Errorf("wanted as it starts: %v", got)
			}
			v := &record.Verification{
				ProgName: c.program, ProgType: tracer.progType(c.kind), DurationNS: uint64(c.took), Inputs: &record.Inputs{},
			}
			if got := tracer.selects(v); got != c.selects {
				t.Errorf("selected as it ends: %v", got)
			}
			// What is verified may be another program, or have a longer name.
			for _, inputs := range []record.Inputs{{}, {From: record.InputsFromLoader}} {
				if !tracer.wants(assemble.Request{Name: c.program, ProgType: c.kind, Inputs: inputs}) {
					t.Errorf("not wanted as it starts, by %q", inputs.From)
				}
			}
			described := assemble.Request{ProgType: c.kind, Inputs: record.Inputs{From: record.InputsFromKernel, FuncInfoCount: 1}}
			if c.s.Type == "" && !tracer.wants(described) {
				t.Error("a load with types is not wanted by its short name")
			}
		})
	}
}

// A glob matches the whole name as well as the short one.
func TestSelectWholeName(t *testing.T) {
	v := &record.Verification{
		ProgName: "tail_nodeport_n", FullName: "tail_nodeport_nat_egress_ipv4", Inputs: &record.Inputs{FuncInfoCount: 1},
	}
	for glob, want := range map[string]bool{
		"tail_nodeport_nat_egress_ipv4": true, "tail_*_egress_*": true, "tail_nodeport_n": true,
		"tail_nodeport_nat_ingress_ipv4": false, "tail": false,
	} {
		tracer := &Tracer{config: Config{Select: Select{Prog: glob}}}
		if got := tracer.selects(v); got != want {
			t.Errorf("%s selects: %v", glob, got)
		}
	}
	tracer := &Tracer{config: Config{Select: Select{Prog: "*"}}}
	if !tracer.selects(&record.Verification{Inputs: &record.Inputs{}}) {
		t.Error("* does not select a program without a name")
	}
}

// A program, or a part of its name, that is not known may be what is asked for. What is
// selected as it ends was wanted as it started.
func TestSelectUnknown(t *testing.T) {
	types := map[uint32]string{1: "socket_filter", 2: "kprobe"}
	lossy := []record.Loss{{Reason: record.LossIncomplete, Count: 1}}
	asked := func(from record.InputsFrom, functions uint32) *record.Inputs {
		return &record.Inputs{From: from, FuncInfoCount: functions}
	}
	const tag = "a04f5eef06a7f555"
	for _, c := range []struct {
		name string
		v    record.Verification
		s    Select
		want bool
	}{
		{"nothing read", record.Verification{Lossy: lossy}, Select{Prog: "other", Type: "kprobe"}, true},
		{"nothing read of what was refused", record.Verification{Verdict: record.VerdictRejected}, Select{Prog: "other"}, true},
		{"nothing read, and too short", record.Verification{DurationNS: 1}, Select{Prog: "other", MinTime: 2}, false},
		{"the request read", record.Verification{ProgName: "prog", ProgType: "socket_filter", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "other"}, false},
		{"its type read", record.Verification{ProgName: "prog", ProgType: "socket_filter", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Type: "kprobe"}, false},
		{"the result read", record.Verification{ProgTag: tag, ProgName: "prog", ProgType: "socket_filter"}, Select{Prog: "other"}, false},
		{"the result's type read", record.Verification{ProgTag: tag, ProgName: "prog", ProgType: "socket_filter"}, Select{Type: "kprobe"}, false},
		{"the rest lost", record.Verification{ProgName: "tail_nodeport_n", ProgType: "kprobe", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "tail_nodeport_nat_*", Type: "kprobe"}, true},
		{"the rest lost, other type", record.Verification{ProgName: "tail_nodeport_n", ProgType: "kprobe", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "tail_nodeport_nat_*", Type: "socket_filter"}, false},
		{"the rest lost, the beginning differs", record.Verification{ProgName: "tail_nodeport_n", ProgType: "kprobe", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "tail_nodeport_xyz"}, false},
		{"the rest not read of what was refused", record.Verification{ProgName: "tail_nodeport_n", ProgType: "kprobe", Inputs: asked("loader", 1)}, Select{Prog: "*_ipv4"}, true},
		{"no types: there is no rest", record.Verification{ProgName: "tail_nodeport_n", ProgType: "kprobe", Inputs: asked("kernel", 0), Lossy: lossy}, Select{Prog: "tail_nodeport_nat"}, false},
		{"the rest read", record.Verification{ProgName: "tail_nodeport_n", FullName: "tail_nodeport_nat", ProgType: "kprobe", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "tail_nodeport_nat_*"}, false},
		{"shorter than what is kept", record.Verification{ProgName: "tail_nodeport_", ProgType: "kprobe", Inputs: asked("kernel", 1), Lossy: lossy}, Select{Prog: "tail_nodeport_*x"}, false},
	} {
		tracer := &Tracer{config: Config{Select: c.s}, progTypes: types}
		if got := tracer.selects(&c.v); got != c.want {
			t.Errorf("%s: selected: %v", c.name, got)
		}
		request := assemble.Request{Name: c.v.ProgName}
		for n, name := range types {
			if name == c.v.ProgType {
				request.ProgType = n
			}
		}
		if c.v.Inputs != nil {
			request.Inputs = *c.v.Inputs
		}
		if c.want && !tracer.wants(request) {
			t.Errorf("%s: selected as it ends, not wanted as it starts", c.name)
		}
	}
}

// Loads that are left out are counted, and the first of their names kept.
func TestNotSelected(t *testing.T) {
	tracer := &Tracer{config: Config{Select: Select{Type: "kprobe"}}, progTypes: map[uint32]string{1: "socket_filter"}}
	for i := range 10 {
		name := string(rune('a' + i/2))
		if tracer.wants(assemble.Request{Name: name, ProgType: 1, Inputs: record.Inputs{From: record.InputsFromKernel}}) {
			t.Fatal("wanted")
		}
	}
	tracer.notSelected("")
	tracer.notSelected("z")
	s := &tracer.summary
	if s.NotSelected != 12 || strings.Join(s.NotSelectedNames, "") != "abcde" {
		t.Errorf("%d left out: %q", s.NotSelected, s.NotSelectedNames)
	}
}

// What may have been long is not too short.
func TestSelectUnknownDuration(t *testing.T) {
	tracer := &Tracer{config: Config{Select: Select{MinTime: time.Millisecond}}}
	lossy := []record.Loss{{Reason: record.LossIncomplete, Count: 1}}
	for _, c := range []struct {
		name string
		v    record.Verification
		want bool
	}{
		{"cut off", record.Verification{ReachedVerifier: true, Lossy: lossy}, true},
		{"release not seen", record.Verification{ReachedVerifier: true, Verdict: record.VerdictAccepted}, true},
		{"begun before", record.Verification{Lossy: lossy}, true},
		{"nothing verified", record.Verification{Verdict: record.VerdictRejected}, false},
	} {
		if got := tracer.selects(&c.v); got != c.want {
			t.Errorf("%s: selected: %v", c.name, got)
		}
	}
}

func TestHeldEvents(t *testing.T) {
	var got []record.Event
	held := newHeldEvents(func(e *record.Event) { got = append(got, *e) })

	// As the assembler does, with one record for all events.
	latency, lifetime, node := uint64(0), uint64(0), 0
	shared := record.Event{LatencyNS: &latency, LifetimeNS: &lifetime, Node: &node}
	hold := func(verification uint64, pointer record.Pointer, n uint64) {
		shared.Verification, shared.Pointer = verification, pointer
		latency, lifetime, node = n, n+1, int(n+2)
		held.hold(&shared)
	}
	hold(1, 0x10, 10)
	hold(2, 0x20, 20)
	hold(1, 0x30, 30)
	held.hold(&record.Event{Verification: 1, Pointer: 0x40})
	latency, lifetime, node = 99, 99, 99

	held.settle(2, false)
	held.settle(3, true)
	if len(got) != 0 {
		t.Fatalf("%d events too early", len(got))
	}
	held.settle(1, true)
	if len(got) != 3 || got[0].Pointer != 0x10 || got[1].Pointer != 0x30 || got[2].Pointer != 0x40 {
		t.Fatalf("got %+v", got)
	}
	for i, n := range []uint64{10, 30} {
		if e := got[i]; *e.LatencyNS != n || *e.LifetimeNS != n+1 || *e.Node != int(n+2) {
			t.Errorf("event %d: latency %d, lifetime %d, node %d: not those of its time", i, *e.LatencyNS, *e.LifetimeNS, *e.Node)
		}
	}
	if e := got[2]; e.LatencyNS != nil || e.LifetimeNS != nil || e.Node != nil {
		t.Errorf("what was absent came about: %+v", e)
	}
	held.settle(1, true)
	held.settle(2, true)
	if len(got) != 3 || len(held.loads) != 0 || held.held != 0 {
		t.Errorf("%d events after the last, %d loads and %d events kept", len(got)-3, len(held.loads), held.held)
	}
}

// No more events wait than there is room for. What is handed on of a load are its first, and
// how many more there were is known.
func TestHeldEventsLimit(t *testing.T) {
	var got []record.Pointer
	held := newHeldEvents(func(e *record.Event) { got = append(got, e.Pointer) })
	held.limit = 3
	hold := func(verification uint64, pointer record.Pointer) {
		held.hold(&record.Event{Verification: verification, Pointer: pointer})
		if held.held > held.limit {
			t.Fatalf("%d events wait", held.held)
		}
	}
	hold(1, 1)
	hold(2, 2)
	hold(1, 3)
	hold(1, 4) // no room
	if dropped := held.settle(2, false); dropped != 0 {
		t.Errorf("%d dropped of a load that is not wanted", dropped)
	}
	hold(1, 5) // there is room, but not for the one before
	hold(3, 6)
	held.decide(4)
	hold(4, 7) // need not wait
	if !slices.Equal(got, []record.Pointer{7}) {
		t.Errorf("handed on %v ahead of their ends, want that of the load that is decided on", got)
	}
	for verification, want := range map[uint64]uint64{1: 2, 3: 0, 4: 0} {
		if dropped := held.settle(verification, true); dropped != want {
			t.Errorf("%d events of %d dropped, want %d", dropped, verification, want)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []record.Pointer{1, 3, 6, 7}) || held.held != 0 || len(held.loads) != 0 {
		t.Errorf("handed on %v, %d events and %d loads kept", got, held.held, len(held.loads))
	}
}
