package tracer

import (
	"path"
	"slices"

	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// wants reports whether a load may be selected, from what its loader asked for. What is
// verified may have another name than is in the loader's memory, and a longer one if it has
// types: such a load is kept until its end, which has the program's own names.
func (t *Tracer) wants(r assemble.Request) bool {
	if r.Inputs.From != record.InputsFromKernel {
		return true
	}
	if t.selectsType(t.progType(r.ProgType)) && (r.Inputs.FuncInfoCount > 0 || t.selectsName(r.Name)) {
		return true
	}
	t.notSelected(r.Name)
	return false
}

func (t *Tracer) selectsType(progType string) bool {
	want := t.config.Select.Type
	return want == "" || want == progType
}

func (t *Tracer) selectsName(name string) bool {
	ok, _ := path.Match(t.config.Select.Prog, name) // the glob was checked by normalize
	return ok || t.config.Select.Prog == ""
}

// maxNames is how many names of loads that were not selected are kept.
const maxNames = 5

// notSelected counts a load that was seen and is not handed on.
func (t *Tracer) notSelected(name string) {
	s := &t.summary
	s.NotSelected++
	if name != "" && len(s.NotSelectedNames) < maxNames && !slices.Contains(s.NotSelectedNames, name) {
		s.NotSelectedNames = append(s.NotSelectedNames, name)
	}
}

// selects reports whether a verification is to be handed on. What is not known of it may be
// what is asked for: how long it took, its program, or the rest of the program's name. It
// selects none that wants does not.
func (t *Tracer) selects(v *record.Verification) bool {
	untimed := v.DurationNS == 0 && (v.ReachedVerifier || len(v.Lossy) > 0)
	if !untimed && int64(v.DurationNS) < int64(t.config.Select.MinTime) {
		return false
	}
	if v.Inputs == nil && !v.ResultRead() {
		return true
	}
	return t.selectsType(v.ProgType) && (t.selectsName(v.ProgName) || v.FullName != "" && t.selectsName(v.FullName) ||
		v.NameCut() && mayMatch(t.config.Select.Prog, v.ProgName))
}

// decided reports whether a load is known to be selected by what its loader asked for.
func (t *Tracer) decided(r assemble.Request) bool {
	s := t.config.Select
	return s.Prog == "" && s.MinTime == 0 && r.Inputs.From == record.InputsFromKernel && t.selectsType(t.progType(r.ProgType))
}

// heldEvents keeps events back until it is known whether their verification is
// selected, which mostly shows only at its end.
type heldEvents struct {
	onEvent func(*record.Event)
	loads   map[uint64]*heldLoad
	held    int // events of all loads
	limit   int
}

// heldLoad is what is kept of one verification.
type heldLoad struct {
	decided bool // it is selected: nothing need be held
	events  []record.Event
	dropped uint64
}

// maxHeld bounds the events that are held at once, and the memory with it: some 256 bytes
// each.
const maxHeld = 1 << 20

func newHeldEvents(onEvent func(*record.Event)) *heldEvents {
	return &heldEvents{onEvent: onEvent, loads: map[uint64]*heldLoad{}, limit: maxHeld}
}

func (h *heldEvents) load(verification uint64) *heldLoad {
	l := h.loads[verification]
	if l == nil {
		l = &heldLoad{}
		h.loads[verification] = l
	}
	return l
}

// decide has a verification's events handed on as they come.
func (h *heldEvents) decide(verification uint64) { h.load(verification).decided = true }

// hold keeps an event. Where there is no room, it and all that follow it in its verification
// are dropped.
func (h *heldEvents) hold(e *record.Event) {
	l := h.load(e.Verification)
	switch {
	case l.decided:
		h.onEvent(e)
	case l.dropped > 0 || h.held == h.limit:
		l.dropped++
	default:
		kept := *e
		kept.LatencyNS, kept.LifetimeNS, kept.Node = clone(e.LatencyNS), clone(e.LifetimeNS), clone(e.Node)
		l.events = append(l.events, kept)
		h.held++
	}
}

// settle hands a verification's events on, or drops them. It returns how many of them there
// was no room for.
func (h *heldEvents) settle(verification uint64, wanted bool) (dropped uint64) {
	l := h.loads[verification]
	if l == nil {
		return 0
	}
	delete(h.loads, verification)
	h.held -= len(l.events)
	if !wanted {
		return 0
	}
	for i := range l.events {
		h.onEvent(&l.events[i])
	}
	return l.dropped
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
