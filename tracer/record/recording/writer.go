package recording

import (
	"time"

	"github.com/verialloc/verialloc/tracer/record"
)

// LineWriter writes a record as a line, as a feed of JSON Lines does.
type LineWriter interface {
	Write(line any) error
}

// Writer takes a recording of bench as it comes: keeps it for its summary and, with a
// LineWriter, writes each line at once. It is for one goroutine at a time.
//
// Nothing is written before there is a sample, so that a bench that takes none leaves an
// earlier file as it was.
type Writer struct {
	recording Recording
	out       LineWriter // nil: none
	begun     bool       // the machine is written, and the programs so far
	failed    error      // the first write that did not succeed
}

// NewWriter returns a writer of a recording on a machine. Without out nothing is written,
// and the recording is kept alone.
func NewWriter(m record.Machine, out LineWriter) *Writer {
	return &Writer{recording: Recording{Machine: &m}, out: out}
}

// Recording returns what was taken so far. Its samples are without the groups of the
// tracer's records and, where they were written, without counters. It has an end after
// Finish alone.
func (w *Writer) Recording() *Recording { return &w.recording }

// Err returns the error of the first write that did not succeed. Nothing is written after
// it, and every method returns it.
func (w *Writer) Err() error { return w.failed }

// Program takes a program, ahead of its first sample.
func (w *Writer) Program(p *record.Program) error {
	w.recording.Programs = append(w.recording.Programs, *p)
	return w.follow(p)
}

// Environment takes the tracer's environment, ahead of the first traced sample.
func (w *Writer) Environment(e *record.Environment) error {
	w.recording.Environment = e
	return w.follow(e)
}

// Sample takes a sample.
func (w *Writer) Sample(s *record.Sample) error {
	err := w.begin()
	kept := slim(s)
	if w.out != nil {
		kept.Counters = nil
	}
	w.recording.Samples = append(w.recording.Samples, kept)
	if err != nil {
		return err
	}
	return w.write(s)
}

// Finish takes the end, whose time and number of samples it fills in, and writes what the
// samples give ahead of it.
func (w *Writer) Finish(end record.End) error {
	end.Head = record.NewHead(record.KindEnd)
	end.TimeUnixNS = time.Now().UnixNano()
	end.Samples = uint64(len(w.recording.Samples))
	w.recording.End = &end
	if err := w.begin(); err != nil {
		return err
	}
	var lines []any
	for _, cost := range w.recording.ObserverCosts() {
		lines = append(lines, &cost)
	}
	for _, fit := range w.recording.Fits() {
		lines = append(lines, &fit)
	}
	return w.write(append(lines, &end)...)
}

// begin writes what comes ahead of the first sample, unless it is written.
func (w *Writer) begin() error {
	if w.begun {
		return w.failed
	}
	w.begun = true
	lines := []any{w.recording.Machine}
	for i := range w.recording.Programs {
		lines = append(lines, &w.recording.Programs[i])
	}
	if w.recording.Environment != nil {
		lines = append(lines, w.recording.Environment)
	}
	return w.write(lines...)
}

// follow writes a line that needs no sample, once there is one: begin writes it else.
func (w *Writer) follow(line any) error {
	if !w.begun {
		return nil
	}
	return w.write(line)
}

// write writes lines, unless a write has failed.
func (w *Writer) write(lines ...any) error {
	if w.out == nil {
		return nil
	}
	for _, line := range lines {
		if w.failed != nil {
			break
		}
		w.failed = w.out.Write(line)
	}
	return w.failed
}
