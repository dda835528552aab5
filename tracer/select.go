package tracer

import (
	"path"

	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// wants reports whether a load is selected, from what its loader asked for. A load
// whose request could not be read is kept until its end, which has the program's name.
func (t *Tracer) wants(r assemble.Request) bool {
	return r.Inputs.From == "" || t.selectsProgram(r.Name, t.progType(r.ProgType))
}

func (t *Tracer) selectsProgram(name, progType string) bool {
	s := &t.config.Select
	if s.Type != "" && s.Type != progType {
		return false
	}
	if s.Prog == "" {
		return true
	}
	ok, _ := path.Match(s.Prog, name) // the glob was checked by normalize
	return ok
}

// selects reports whether a verification is to be handed on. One whose duration is not known
// is: it may have been long.
func (t *Tracer) selects(v *record.Verification) bool {
	unknown := v.DurationNS == 0 && (v.ReachedVerifier || len(v.Lossy) > 0)
	return (unknown || int64(v.DurationNS) >= int64(t.config.Select.MinTime)) && t.selectsProgram(v.ProgName, v.ProgType)
}

// heldEvents keeps events back until it is known whether their verification is
// selected: with a least duration that shows only at its end.
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
