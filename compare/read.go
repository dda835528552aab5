package compare

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// Input is one side as Read returns it: programs with the values of their metrics in
// the order in which they were measured.
type Input struct {
	source      Source
	machine     *record.Machine
	environment *record.Environment
	subjects    []*subject
	warnings    []Warning
	table       *veristat.Table   // of a CSV, or the rows of all in it
	loads       []recording.Loads // of a recording
}

// key is what programs are matched by.
type key struct{ file, prog string }

func (k key) String() string { return k.file + "/" + k.prog }

// subject is a program of a side.
type subject struct {
	key
	hash    string // of the object; empty: not known
	failure string // why it has no samples
	loaded  bool   // it has samples
	// contradicts is set where a CSV has the program in rows that differ.
	contradicts bool
	values      map[string][]float64 // by metric; a metric that is missing is nil
	allocator   map[string][]float64 // by metric, what the allocators took for themselves beside each value
	absent      map[string]string    // by metric, why a value was left out
	verdicts    []string             // success or failure, as veristat has it
	inputs      map[string][]string  // what the loads were asked for, by name, as far as it is known
	build       string               // of the kernel
	traced      []*record.Verification
	tracedNS    []float64            // verification times of the traced loads
	cpuNS       []float64            // CPU times of the bare loads' verifications, where they are known
	onCPU       float64              // share of their time that the bare loads were on a CPU, where that is little; else 0
	observer    *record.ObserverCost // nil: there are not both bare and traced loads
}

// ReadOptions say what a side may be.
type ReadOptions struct {
	// Partial takes a recording that was cut off.
	Partial bool
}

// ErrInput is what Read's errors match that are of the content, not of reading it.
var ErrInput = errors.New("unusable input")

// Read reads a side, a recording of bench or a CSV of veristat: the content shows which.
// Errors name the source and, where it is one line's fault, the line. They match
// recording.ErrCutOff where ReadOptions.Partial would take the source. Nothing is returned
// of a source with an error.
func Read(name string, r io.Reader, o ReadOptions) (*Input, error) {
	source := &keeper{r: r}
	buffer := bufio.NewReader(source)
	var in *Input
	var err error
	switch _, end := buffer.Peek(1); {
	case errors.Is(end, io.EOF):
		err = errors.New("it is empty")
	case recording.Sniff(buffer):
		in, err = readRecording(buffer, o)
	default:
		in, err = readVeristat(buffer)
	}
	if err := source.err; err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // its path is the name
		}
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrInput, err)
	}
	in.source.Name = name
	for i := range in.warnings {
		in.warnings[i].Text = name + ": " + in.warnings[i].Text
	}
	return in, nil
}

// keeper keeps the error of a reader, so that a file that cannot be read does
// not pass for one whose content is at fault.
type keeper struct {
	r   io.Reader
	err error
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// find returns a program of the side, nil if there is none.
func (in *Input) find(k key) *subject {
	i := slices.IndexFunc(in.subjects, func(s *subject) bool { return s.key == k })
	if i < 0 {
		return nil
	}
	return in.subjects[i]
}

// warn adds a warning of the side.
func (in *Input) warn(code string, k key, format string, args ...any) {
	in.warnings = append(in.warnings, Warning{Code: code, File: k.file, Prog: k.prog, Text: fmt.Sprintf(format, args...)})
}
