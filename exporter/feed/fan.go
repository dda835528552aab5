package feed

import (
	"errors"
	"fmt"

	"github.com/verialloc/verialloc/tracer/record"
)

// Named is a sink with the name that stands in its errors.
type Named struct {
	Name string
	Sink record.Sink
}

// Fan is a sink that hands each record to all of its sinks, in their order.
//
// A sink that fails does not keep a record from those after it, and each sink gets its
// End. The errors of one call are joined, each with the name of its sink, and end the
// tracing as any sink's do. So does a sink that returns [record.ErrStop], which Fan
// returns where no other sink has failed.
type Fan []Named

// Begin hands on the description of the kernel.
func (f Fan) Begin(e *record.Environment) error {
	return f.each(func(s record.Sink) error { return s.Begin(e) })
}

// Verification hands on a program load.
func (f Fan) Verification(v *record.Verification) error {
	return f.each(func(s record.Sink) error { return s.Verification(v) })
}

// Event hands on an allocation or a free.
func (f Fan) Event(e *record.Event) error {
	return f.each(func(s record.Sink) error { return s.Event(e) })
}

// Loss hands on a report of losses.
func (f Fan) Loss(r *record.LossReport) error {
	return f.each(func(s record.Sink) error { return s.Loss(r) })
}

// End hands on the summary.
func (f Fan) End(s *record.Summary) error {
	return f.each(func(sink record.Sink) error { return sink.End(s) })
}

func (f Fan) each(call func(record.Sink) error) error {
	var failed []error
	stop := false
	for _, named := range f {
		switch err := call(named.Sink); {
		case err == nil:
		case errors.Is(err, record.ErrStop):
			stop = true
		default:
			failed = append(failed, fmt.Errorf("%s: %w", named.Name, err))
		}
	}
	if failed == nil && stop {
		return record.ErrStop
	}
	return errors.Join(failed...)
}
