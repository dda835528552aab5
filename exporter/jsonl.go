package exporter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

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

// maxLine is the greatest length of a line that a reader takes, in bytes.
const maxLine = 64 << 20

// ReadJSONL returns the lines of a feed as pointers to the records of package
// record. Empty lines and kinds that it does not know are skipped. The first
// error ends the feed; it names the line, and for a feed of another schema the
// schema.
func ReadJSONL(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		number := 0
		for scanner.Scan() {
			number++
			if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
				continue
			}
			line, err := decodeLine(scanner.Bytes())
			if err != nil {
				yield(nil, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if line != nil && !yield(line, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(nil, fmt.Errorf("line %d: %w", number+1, err))
		}
	}
}

// decodeLine returns the record of a line, nil for an unknown kind.
func decodeLine(text []byte) (any, error) {
	var head record.Head
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	if !readable(head.Schema) {
		return nil, fmt.Errorf("schema %q: want %q: use the verialloc that wrote the feed", head.Schema, record.Schema)
	}
	line := newLine(head.Kind)
	if line == nil {
		return nil, nil
	}
	if err := json.Unmarshal(text, line); err != nil {
		return nil, fmt.Errorf("%s: %w", head.Kind, err)
	}
	return line, validate(line)
}

// readable reports whether a schema has the major version that this one has.
func readable(schema string) bool {
	major, _, _ := strings.Cut(schema, ".")
	return major == record.Schema
}

// newLine returns an empty record of the kind, nil for one that it does not know.
func newLine(kind string) any {
	switch kind {
	case record.KindEnvironment:
		return new(record.Environment)
	case record.KindVerification:
		return new(record.Verification)
	case record.KindEvent:
		return new(record.Event)
	case record.KindLoss:
		return new(record.LossReport)
	case record.KindSummary:
		return new(record.Summary)
	case record.KindDiagnosis:
		return new(record.Diagnosis)
	default:
		return nil
	}
}

var errHistogram = errors.New("histogram: upper_bounds_ns and counts differ in length")

// validate checks what the records' own methods take for granted.
func validate(line any) error {
	v, ok := line.(*record.Verification)
	if !ok {
		return nil
	}
	histograms := []*record.Histogram{&v.Latency}
	if v.Visits != nil {
		histograms = append(histograms, &v.Visits.Latency)
	}
	for _, by := range Dimensions {
		groups := groupsOf(v, by)
		for i := range groups {
			histograms = append(histograms, &groups[i].Latency)
		}
	}
	for _, h := range histograms {
		if len(h.UpperBoundsNS) != len(h.Counts) {
			return errHistogram
		}
	}
	return nil
}
