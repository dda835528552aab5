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

// heldEvents keeps events back until it is known whether their verification is
// selected, which shows only at its end.
type heldEvents struct {
	onEvent func(*record.Event)
	events  map[uint64][]record.Event
}

func newHeldEvents(onEvent func(*record.Event)) *heldEvents {
	return &heldEvents{onEvent: onEvent, events: map[uint64][]record.Event{}}
}

func (h *heldEvents) hold(e *record.Event) {
	kept := *e
	kept.LatencyNS, kept.LifetimeNS, kept.Node = clone(e.LatencyNS), clone(e.LifetimeNS), clone(e.Node)
	h.events[e.Verification] = append(h.events[e.Verification], kept)
}

// settle hands a verification's events on, or drops them.
func (h *heldEvents) settle(verification uint64, wanted bool) {
	events := h.events[verification]
	delete(h.events, verification)
	if !wanted {
		return
	}
	for i := range events {
		h.onEvent(&events[i])
	}
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
