package record

import "errors"

// Sink takes the records of one tracing, such as tracer.Run's.
//
// Begin is called first, when the probes are live. Verification, Event and Loss follow
// in the order in which things were seen: an event ahead of the verification that it is
// part of. End is called last, and once whenever Begin was called: also where the
// tracing ended by an error, be it of this sink and be it Begin's own.
//
// All calls come one after the other from one goroutine, that of the tracing: while a
// method runs nothing is read, and a sink that is slow for long makes the kernel's ring
// buffer overflow. Records are the sink's to keep but not to change, because other
// sinks may have them too; only an Event is used again after the call, with what it
// points to.
//
// The first error that a method returns ends the tracing, which returns it, wrapped or
// joined with others; no other method than End is called after it. ErrStop ends the
// tracing and is not an error.
type Sink interface {
	// Begin takes the description of the kernel and of what is attached to it.
	Begin(*Environment) error
	// Verification takes a program load that has ended.
	Verification(*Verification) error
	// Event takes an allocation or a free. It is called only where events were asked
	// for, as by tracer.Config.Events: they cost most of all.
	Event(*Event) error
	// Loss takes all losses so far, each time they have grown.
	Loss(*LossReport) error
	// End takes the sums of what the sink was given.
	End(*Summary) error
}

// ErrStop is what a method of a Sink returns to end the tracing without an error, as
// when it has seen enough.
var ErrStop = errors.New("stop the tracing")

// NopSink does nothing with any record. A sink that wants few kinds embeds it and has
// methods for those.
type NopSink struct{}

var _ Sink = NopSink{}

// Begin does nothing.
func (NopSink) Begin(*Environment) error { return nil }

// Verification does nothing.
func (NopSink) Verification(*Verification) error { return nil }

// Event does nothing.
func (NopSink) Event(*Event) error { return nil }

// Loss does nothing.
func (NopSink) Loss(*LossReport) error { return nil }

// End does nothing.
func (NopSink) End(*Summary) error { return nil }
