package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine is the greatest length of a line that a reader takes, in bytes.
const maxLine = 64 << 20

// Line is one record of a feed with where it stands in it.
type Line struct {
	Number int // from 1
	Record any // pointer to a record of this package
}

// ReadJSONL returns the lines of a feed as pointers to the records of this
// package. Empty lines and kinds that it does not know are skipped. The first
// error ends the feed; it names the line, and for a feed of another schema the
// schema.
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
		scanner.Buffer(nil, maxLine)
		number := 0
		for scanner.Scan() {
			number++
			if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
				continue
			}
			line, err := decodeLine(scanner.Bytes())
			if err != nil {
				yield(Line{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if line != nil && !yield(Line{number, line}, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(Line{}, fmt.Errorf("line %d: %w", number+1, err))
		}
	}
}

// decodeLine returns the record of a line, nil for an unknown kind.
func decodeLine(text []byte) (any, error) {
	var head Head
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	if !readable(head.Schema) {
		return nil, fmt.Errorf("schema %q: want %q: use the verialloc that wrote the feed", head.Schema, Schema)
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
	return major == Schema
}

// newLine returns an empty record of the kind, nil for one that it does not know.
func newLine(kind string) any {
	switch kind {
	case KindEnvironment:
		return new(Environment)
	case KindVerification:
		return new(Verification)
	case KindEvent:
		return new(Event)
	case KindLoss:
		return new(LossReport)
	case KindSummary:
		return new(Summary)
	case KindDiagnosis:
		return new(Diagnosis)
	case KindMachine:
		return new(Machine)
	case KindProgram:
		return new(Program)
	case KindSample:
		return new(Sample)
	case KindObserverCost:
		return new(ObserverCost)
	case KindFit:
		return new(Fit)
	case KindEnd:
		return new(End)
	default:
		return nil
	}
}

var errHistogram = errors.New("histogram: upper_bounds_ns and counts differ in length")

// validate checks what the records' own methods take for granted.
func validate(line any) error {
	if sample, ok := line.(*Sample); ok && sample.Traced != nil {
		return validate(sample.Traced)
	}
	v, ok := line.(*Verification)
	if !ok {
		return nil
	}
	histograms := []*Histogram{&v.Latency}
	if v.Visits != nil {
		histograms = append(histograms, &v.Visits.Latency)
	}
	for _, groups := range [][]Group{v.Types, v.Caches, v.Sites, v.Paths} {
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
