package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/tracer/record"
)

// Options say what a file may be, and what is kept of it.
type Options struct {
	// Partial takes a file that was cut off, with a warning.
	Partial bool
	// Bench refuses the feed of a trace.
	Bench bool
	// Slim leaves out the groups of the tracer's records, which take most of the memory
	// and which no median needs.
	Slim bool
}

var (
	errNeither  = errors.New("no recording: it begins with neither a machine line, as bench writes, nor an environment line, as trace does")
	errNotBench = errors.New("no recording of bench: it has no machine line, which bench writes first")
	errNoEnd    = fmt.Errorf("it has no end: %w", ErrCutOff)
)

// Sniff reports whether what r reads next looks like JSON Lines: whether the first
// character that is no space is {. It takes nothing from r.
func Sniff(r *bufio.Reader) bool {
	for n := 1; ; n++ {
		start, err := r.Peek(n)
		if err != nil {
			return false
		}
		switch start[n-1] {
		case ' ', '\t', '\r', '\n':
		default:
			return start[n-1] == '{'
		}
	}
}

// Read reads a recording of bench or the feed of a trace as a whole, and checks it. Errors
// name the line where it is one line's fault. They match ErrCutOff where the file would be
// taken with Options.Partial, and input.ErrTooLarge where there is more of it than the 2 GiB
// that are read: what is kept is in proportion. Nothing is returned of a file with an error.
// Events are not kept.
func Read(r io.Reader, o Options) (*Recording, error) {
	rd := &reader{options: o, programs: map[int]bool{}}
	for line, err := range ReadLines(input.Recording.Reader(r)) {
		switch {
		case o.Partial && errors.Is(err, ErrCutOff):
			rd.warn(WarnCutOff, "its last line is cut off: it is left out")
			continue // there is no further line
		case err != nil:
			return nil, err
		}
		if err := rd.add(line.Record); err != nil {
			return nil, fmt.Errorf("line %d: %w", line.Number, err)
		}
	}
	if err := rd.finish(); err != nil {
		return nil, err
	}
	return &rd.Recording, nil
}

// reader takes the lines of a recording one after the other.
type reader struct {
	Recording
	options  Options
	programs map[int]bool // by id
	said     summary      // what the writer made of the samples
}

func (r *reader) warn(code WarningCode, format string, args ...any) {
	r.Warnings = append(r.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

// add takes one line.
func (r *reader) add(line any) error {
	if err := r.checkOrder(line); err != nil {
		return err
	}
	switch line := line.(type) {
	case *record.Machine:
		r.Machine = line
	case *record.Environment:
		r.Environment = line
	case *record.Program:
		if r.programs[line.ID] {
			return fmt.Errorf("program %d again: ids are unique", line.ID)
		}
		r.programs[line.ID] = true
		r.Programs = append(r.Programs, *line)
	case *record.Sample:
		return r.addSample(line)
	case *record.ObserverCost:
		if !r.programs[line.Program] {
			return fmt.Errorf("an observer_cost of program %d, which no line ahead of it describes", line.Program)
		}
		r.said.costs = append(r.said.costs, *line)
	case *record.Fit:
		r.said.fits = append(r.said.fits, *line)
	case *record.End:
		r.End = line
	case *record.Verification:
		if r.options.Slim {
			line.DropGroups()
		}
		r.Verifications = append(r.Verifications, line)
	case *record.Summary:
		r.Summary = line
	}
	return nil
}

// checkOrder refuses a line where it cannot stand.
func (r *reader) checkOrder(line any) error {
	begun := r.Machine != nil || r.Environment != nil
	ofBench := false
	again := false
	switch line.(type) {
	case *record.Machine:
		ofBench, again = true, r.Machine != nil
	case *record.Environment:
		again = r.Environment != nil
		if !begun && r.options.Bench {
			return errNotBench
		}
	case *record.Program, *record.Sample, *record.ObserverCost, *record.Fit, *record.End:
		ofBench = true
		if !begun {
			return errNotBench
		}
	default:
		if !begun && r.options.Bench {
			return errNotBench
		} else if !begun {
			return errNeither
		}
	}
	const two = "is it two recordings in one file?"
	switch {
	case r.End != nil, r.Machine == nil && r.Summary != nil:
		return errors.New("there is more after the end: " + two)
	case again:
		return fmt.Errorf("a second %s line: %s", kind(line), two)
	case ofBench && begun && r.Machine == nil:
		return fmt.Errorf("a %s line in the feed of a trace: %s", kind(line), two)
	}
	return nil
}

// kind returns the kind of a line that only one recording has.
func kind(line any) string {
	switch line.(type) {
	case *record.Machine:
		return record.KindMachine
	case *record.Environment:
		return record.KindEnvironment
	case *record.Program:
		return record.KindProgram
	case *record.Sample:
		return record.KindSample
	case *record.ObserverCost:
		return record.KindObserverCost
	case *record.Fit:
		return record.KindFit
	default:
		return record.KindEnd
	}
}

func (r *reader) addSample(s *record.Sample) error {
	switch {
	case !r.programs[s.Program]:
		return fmt.Errorf("a sample of program %d, which no line ahead of it describes", s.Program)
	case s.Mode != record.ModeBare && s.Mode != record.ModeTraced:
		return fmt.Errorf("mode %q: want %s or %s", s.Mode, record.ModeBare, record.ModeTraced)
	case r.options.Slim:
		r.Samples = append(r.Samples, slim(s))
	default:
		r.Samples = append(r.Samples, *s)
	}
	return nil
}

// finish checks that the recording is whole.
func (r *reader) finish() error {
	switch {
	case r.Machine != nil:
		return r.finishBench()
	case r.options.Bench:
		return errNotBench
	case r.Environment != nil:
		return r.finishTrace()
	default:
		return errNeither
	}
}

func (r *reader) finishBench() error {
	count := uint64(len(r.Samples))
	switch {
	case r.End == nil && !r.options.Partial:
		return errNoEnd
	case r.End == nil:
		r.warn(WarnCutOff, "it has no end: cut off, %d samples are there", count)
	case r.End.Samples != count:
		return fmt.Errorf("it has %d samples, but its end counts %d: lines are missing", count, r.End.Samples)
	case r.End.Interrupted:
		r.warn(WarnInterrupted, "bench was interrupted: %d samples are there, fewer than asked for", count)
	}
	r.checkSummary()
	return nil
}

func (r *reader) finishTrace() error {
	count := uint64(len(r.Verifications))
	switch {
	case r.Summary == nil && !r.options.Partial:
		return errNoEnd
	case r.Summary == nil:
		r.warn(WarnCutOff, "it has no end: cut off, %d verifications are there", count)
	case r.Summary.Verifications != count:
		return fmt.Errorf("it has %d verifications, but its summary counts %d: lines are missing", count, r.Summary.Verifications)
	}
	return nil
}
