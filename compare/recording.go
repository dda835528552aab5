package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

var (
	errNoRecording = errors.New("no recording: it has no machine line, which bench writes first")
	errCutOff      = errors.New("cut off: it has no end line, so bench did not finish it: --partial compares what is there")
)

// reader collects the lines of a recording.
type reader struct {
	Input
	byID    map[int]*subject
	samples uint64
	end     *record.End
}

// readRecording reads the JSON Lines of bench.
func readRecording(data []byte, o ReadOptions) (*Input, error) {
	r := &reader{Input: Input{source: Source{Format: FormatRecording}}, byID: map[int]*subject{}}
	// What follows the last line end was being written when the recording ended.
	whole := bytes.LastIndexByte(data, '\n') + 1
	switch tail := data[whole:]; {
	case len(tail) == 0, json.Valid(tail):
	case o.Partial:
		r.warn("cut_off", key{}, "its last line is not whole, and left out")
		data = data[:whole]
	default:
		return nil, fmt.Errorf("line %d: %w", bytes.Count(data, []byte("\n"))+1, errCutOff)
	}
	for line, err := range recording.ReadLines(bytes.NewReader(data)) {
		if err != nil {
			return nil, err
		}
		if err := r.add(line.Record); err != nil {
			return nil, fmt.Errorf("line %d: %w", line.Number, err)
		}
	}
	if err := r.finish(o); err != nil {
		return nil, err
	}
	return &r.Input, nil
}

// add takes one line.
func (r *reader) add(line any) error {
	if _, first := line.(*record.Machine); !first && r.machine == nil {
		return errNoRecording
	}
	if r.end != nil {
		return errors.New("there is more after the end: is it two recordings in one file?")
	}
	switch line := line.(type) {
	case *record.Machine:
		if r.machine != nil {
			return errors.New("a second machine line: is it two recordings in one file?")
		}
		r.machine = line
		r.source.Kernel, r.source.Build = line.Kernel, line.Build
	case *record.Environment:
		r.environment = line
	case *record.Program:
		if r.byID[line.ID] != nil {
			return fmt.Errorf("program %d again: ids are unique", line.ID)
		}
		s := &subject{
			key: key{line.File, line.Name}, hash: line.SHA256, failure: line.Failure,
			values: map[string][]float64{}, allocator: map[string][]float64{}, absent: map[string]string{},
		}
		r.byID[line.ID] = s
		r.programs = append(r.programs, *line)
		r.subjects = append(r.subjects, s)
	case *record.Sample:
		return r.addSample(line)
	case *record.End:
		r.end = line
	}
	return nil
}

func (r *reader) addSample(sample *record.Sample) error {
	s := r.byID[sample.Program]
	if s == nil {
		return fmt.Errorf("a sample of program %d, which no line ahead of it describes", sample.Program)
	}
	switch sample.Mode {
	case record.ModeBare:
		r.bare = append(r.bare, *sample)
	case record.ModeTraced:
		s.tracedNS = append(s.tracedNS, float64(sample.VerifierTimeNS))
		if sample.Traced != nil && sample.Traced.Exact {
			s.traced = append(s.traced, sample.Traced)
		}
	default:
		return fmt.Errorf("mode %q: want %s or %s", sample.Mode, record.ModeBare, record.ModeTraced)
	}
	r.samples++
	s.loaded = true
	s.verdicts = append(s.verdicts, verdictOf(sample.Verdict))
	for i := range metrics {
		m := &metrics[i]
		if m.mode != sample.Mode || m.value == nil {
			continue
		}
		value, why := m.value(sample)
		if why != "" {
			s.absent[m.name] = why
			continue
		}
		if m.allocator != nil {
			own := m.ofAllocator(sample.Traced)
			s.allocator[m.name] = append(s.allocator[m.name], own)
			value -= own
		}
		s.values[m.name] = append(s.values[m.name], value)
	}
	return nil
}

// verdictOf returns veristat's word for a verdict, so that a recording can be compared
// with a CSV.
func verdictOf(v record.Verdict) string {
	switch v {
	case record.VerdictAccepted:
		return "success"
	case record.VerdictRejected:
		return "failure"
	default:
		return string(v)
	}
}

// finish checks that the recording is whole.
func (r *reader) finish(o ReadOptions) error {
	switch {
	case r.machine == nil:
		return errNoRecording
	case r.end == nil && !o.Partial:
		return errCutOff
	case r.end == nil:
		r.warn("cut_off", key{}, "it was cut off: %d samples are there", r.samples)
	case r.end.Samples != r.samples:
		return fmt.Errorf("it has %d samples, but its end counts %d: lines are missing", r.samples, r.end.Samples)
	case r.end.Interrupted:
		r.warn("interrupted", key{}, "bench was interrupted: %d samples are there", r.samples)
	}
	r.source.Samples = int(r.samples)
	for _, s := range r.subjects {
		if s.loaded {
			r.source.Programs++
		}
	}
	r.refuseAmbiguous()
	return nil
}

// refuseAmbiguous makes a failure of programs that share file and name, since nothing
// tells which of them the other side's is.
func (r *reader) refuseAmbiguous() {
	count := map[key]int{}
	for _, s := range r.subjects {
		count[s.key]++
	}
	r.subjects = slices.DeleteFunc(r.subjects, func(s *subject) bool {
		if count[s.key] < 0 {
			return true // reported already
		}
		if count[s.key] > 1 {
			s.failure = fmt.Sprintf("%d programs have this file and name", count[s.key])
			count[s.key] = -1
		}
		return false
	})
}
