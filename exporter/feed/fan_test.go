package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// notes is a sink that notes its calls, and fails at one of them.
type notes struct {
	calls []string
	at    string
	err   error
}

func (n *notes) note(call string, id any) error {
	n.calls = append(n.calls, fmt.Sprint(call, " ", id))
	if call == n.at {
		return n.err
	}
	return nil
}

func (n *notes) Begin(e *record.Environment) error         { return n.note("begin", e.CPUs) }
func (n *notes) Verification(v *record.Verification) error { return n.note("verification", v.ID) }
func (n *notes) Event(e *record.Event) error               { return n.note("event", e.Verification) }
func (n *notes) Loss(r *record.LossReport) error           { return n.note("loss", r.TimeUnixNS) }
func (n *notes) End(s *record.Summary) error               { return n.note("end", s.Verifications) }

// calls are one of each, in the order of a tracing.
func calls(s record.Sink) map[string]error {
	return map[string]error{
		"begin":        s.Begin(&record.Environment{CPUs: 1}),
		"event":        s.Event(&record.Event{Verification: 2}),
		"loss":         s.Loss(&record.LossReport{TimeUnixNS: 3}),
		"verification": s.Verification(&record.Verification{ID: 4}),
		"end":          s.End(&record.Summary{Verifications: 5}),
	}
}

var all = []string{"begin 1", "event 2", "loss 3", "verification 4", "end 5"}

func TestFan(t *testing.T) {
	var first, second notes
	for call, err := range calls(Fan{{"first", &first}, {"second", &second}}) {
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	for name, n := range map[string]notes{"first": first, "second": second} {
		if !slices.Equal(n.calls, all) {
			t.Errorf("%s got %q, want %q", name, n.calls, all)
		}
	}
}

// Wherever a sink fails, those beside it get all there is, and the error has its name.
func TestFanFails(t *testing.T) {
	broken := errors.New("broken")
	for at := range calls(record.NopSink{}) {
		sinks := []*notes{{}, {at: at, err: broken}, {}}
		for call, err := range calls(Fan{{"first", sinks[0]}, {"second", sinks[1]}, {"third", sinks[2]}}) {
			if (call == at) != errors.Is(err, broken) || err != nil && err.Error() != "second: broken" {
				t.Errorf("fails at %s: %s returns %v", at, call, err)
			}
		}
		for i, n := range sinks {
			if !slices.Equal(n.calls, all) {
				t.Errorf("fails at %s: sink %d got %q, want %q", at, i, n.calls, all)
			}
		}
	}
}

func TestFanJoinsErrors(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	err := Fan{{"a", &notes{at: "end", err: one}}, {"b", &notes{at: "end", err: two}}}.End(&record.Summary{})
	if !errors.Is(err, one) || !errors.Is(err, two) || !strings.Contains(err.Error(), "a: one") || !strings.Contains(err.Error(), "b: two") {
		t.Errorf("got %v", err)
	}
}

// To have seen enough is not an error, and hides none.
func TestFanStops(t *testing.T) {
	broken := errors.New("broken")
	stops := &notes{at: "event", err: fmt.Errorf("enough: %w", record.ErrStop)}
	fails := &notes{at: "event", err: broken}
	if err := (Fan{{"stops", stops}, {"notes", &notes{}}}).Event(&record.Event{}); !errors.Is(err, record.ErrStop) {
		t.Errorf("one stops: %v", err)
	}
	if err := (Fan{{"stops", stops}, {"fails", fails}}).Event(&record.Event{}); !errors.Is(err, broken) || errors.Is(err, record.ErrStop) {
		t.Errorf("one stops and one fails: %v", err)
	}
}
