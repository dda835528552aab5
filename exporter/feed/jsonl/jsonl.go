// Package jsonl feeds programs: one JSON object a line.
package jsonl

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/verialloc/verialloc/tracer/record"
)

// A Feed writes one JSON object a line, as package record documents it.
type Feed struct {
	buffer  *bufio.Writer
	encoder *json.Encoder
}

// New returns a feed on w. Events are held back until the next line of
// another kind or until they fill a buffer; everything else is written at once.
func New(w io.Writer) *Feed {
	buffer := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(escaper{buffer})
	encoder.SetEscapeHTML(false)
	return &Feed{buffer, encoder}
}

// Begin writes the environment.
func (f *Feed) Begin(e *record.Environment) error { return f.Write(e) }

// Verification writes a program load.
func (f *Feed) Verification(v *record.Verification) error { return f.Write(v) }

// Event writes an event, maybe later; its error may be that of one before.
func (f *Feed) Event(e *record.Event) error { return f.encoder.Encode(e) }

// Loss writes a report of losses.
func (f *Feed) Loss(r *record.LossReport) error { return f.Write(r) }

// End writes the summary.
func (f *Feed) End(s *record.Summary) error { return f.Write(s) }

// Write writes any record as a line of its own.
func (f *Feed) Write(line any) error {
	if err := f.encoder.Encode(line); err != nil {
		return err
	}
	return f.buffer.Flush()
}
