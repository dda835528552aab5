package exporter

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/verialloc/verialloc/tracer/record"
)

// JSONL writes a feed: one JSON object a line, as package record documents it.
type JSONL struct {
	buffer  *bufio.Writer
	encoder *json.Encoder
}

// NewJSONL returns a feed on w. Events are held back until the next line of
// another kind or until they fill a buffer; everything else is written at once.
func NewJSONL(w io.Writer) *JSONL {
	buffer := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	return &JSONL{buffer, encoder}
}

// Begin writes the environment.
func (j *JSONL) Begin(e *record.Environment) error { return j.Write(e) }

// Verification writes a program load.
func (j *JSONL) Verification(v *record.Verification) error { return j.Write(v) }

// Event writes an event, maybe later; its error may be that of one before.
func (j *JSONL) Event(e *record.Event) error { return j.encoder.Encode(e) }

// Loss writes a report of losses.
func (j *JSONL) Loss(r *record.LossReport) error { return j.Write(r) }

// End writes the summary.
func (j *JSONL) End(s *record.Summary) error { return j.Write(s) }

// Write writes any record as a line of its own.
func (j *JSONL) Write(line any) error {
	if err := j.encoder.Encode(line); err != nil {
		return err
	}
	return j.buffer.Flush()
}
