package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/tracer/record"
)

// Line is one record of a feed with where it stands in it.
type Line struct {
	Number int // from 1
	Record any // pointer to a record of package record
}

// ErrCutOff is what errors match that say that a file ends before its writer finished it.
var ErrCutOff = errors.New("cut off")

var (
	errTail = fmt.Errorf("its last line is %w", ErrCutOff)
	errLong = fmt.Errorf("longer than %d bytes, which is no line of a feed", input.RecordingLine)
)

// ReadJSONL returns the lines of a feed as pointers to the records of package
// record. Empty lines and kinds that it does not know are skipped. The first
// error ends the feed; it names the line, and for a feed of another schema the
// schema. It matches ErrCutOff where the last line has no line end and is not whole.
func ReadJSONL(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for line, err := range ReadLines(r) {
			if !yield(line.Record, err) {
				return
			}
		}
	}
}

// ReadLines is ReadJSONL with the number of each line.
func ReadLines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, input.RecordingLine)
		scanner.Split(splitLines)
		number := 0
		for scanner.Scan() {
			number++
			text := scanner.Bytes()
			if len(bytes.TrimSpace(text)) == 0 {
				continue
			}
			line, err := decodeLine(text)
			if text[len(text)-1] != '\n' && !json.Valid(text) {
				err = cmp.Or(scanner.Err(), errTail)
			}
			if err != nil {
				yield(Line{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if line != nil && !yield(Line{number, line}, nil) {
				return
			}
		}
		switch err := scanner.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Line{}, fmt.Errorf("line %d: %w", number+1, errLong))
		case err != nil:
			yield(Line{}, fmt.Errorf("line %d: %w", number+1, err))
		}
	}
}

// splitLines is bufio.ScanLines, but leaves each line its end: only so the last one shows
// whether it was written to its end.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
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
	case record.KindMachine:
		return new(record.Machine)
	case record.KindProgram:
		return new(record.Program)
	case record.KindSample:
		return new(record.Sample)
	case record.KindObserverCost:
		return new(record.ObserverCost)
	case record.KindFit:
		return new(record.Fit)
	case record.KindEnd:
		return new(record.End)
	default:
		return nil
	}
}

var errHistogram = errors.New("histogram: upper_bounds_ns and counts differ in length")

// validate checks what the records' own methods take for granted.
func validate(line any) error {
	if sample, ok := line.(*record.Sample); ok && sample.Traced != nil {
		return validate(sample.Traced)
	}
	v, ok := line.(*record.Verification)
	if !ok {
		return nil
	}
	histograms := []*record.Histogram{&v.Latency}
	if v.Visits != nil {
		histograms = append(histograms, &v.Visits.Latency)
	}
	for _, d := range record.Dimensions {
		groups := *d.Groups(v)
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
