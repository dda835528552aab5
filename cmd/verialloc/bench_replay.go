package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// benchReplay shows an earlier result.
func (a *app) benchReplay(o *benchOptions, args []string) error {
	t, err := a.readRows(args[0])
	if err != nil {
		return err
	}
	return a.show(o, func(out *lateOutput) error {
		if o.format.value == "csv" {
			return bench.WriteCSV(out, t, o.view)
		}
		return bench.WriteText(out, t, o.view)
	})
}

// benchCompare compares two earlier results.
func (a *app) benchCompare(o *benchOptions, args []string) error {
	base, err := a.readRows(args[0])
	if err != nil {
		return err
	}
	comp, err := a.readRows(args[1])
	if err != nil {
		return err
	}
	c, err := veristat.Compare(base, comp)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", args[0], args[1], err)
	}
	return a.show(o, func(out *lateOutput) error {
		if o.format.value == "csv" {
			return bench.WriteCSV(out, c, o.view)
		}
		return bench.WriteText(out, c, o.view)
	})
}

// show writes to where the flags say.
func (a *app) show(o *benchOptions, write func(*lateOutput) error) (err error) {
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	err = outputFailure(write(&lateOutput{output: out}))
	return cmp.Or(err, outputFailure(out.close()))
}

// readRows reads the rows of a result: CSV of veristat or bench, or a recording.
func (a *app) readRows(path string) (*veristat.Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var t *veristat.Table
	var end *record.End
	if start, _ := reader.Peek(1); bytes.Equal(start, []byte("{")) {
		t, end, err = readRecording(reader)
	} else {
		t, err = veristat.ReadCSV(reader)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if end != nil && end.Interrupted {
		a.log().Warn().Msgf("%s: bench was interrupted: %d samples are there, fewer than asked for", path, end.Samples)
	}
	return t, nil
}

// readRecording reads the rows of a recording, and its end.
func readRecording(reader *bufio.Reader) (*veristat.Table, *record.End, error) {
	var programs []record.Program
	var samples []record.Sample
	var end *record.End
	for line, err := range recording.ReadJSONL(reader) {
		if err != nil {
			return nil, nil, err
		}
		switch r := line.(type) {
		case *record.Program:
			programs = append(programs, *r)
		case *record.Sample:
			r.Traced = nil // rows have nothing of it
			samples = append(samples, *r)
		case *record.End:
			end = r
		}
	}
	if end == nil {
		return nil, nil, errors.New("it has no end: it was cut off, or is no recording of bench")
	}
	if uint64(len(samples)) != end.Samples {
		return nil, nil, fmt.Errorf("it has %d samples, but its end counts %d: lines are missing", len(samples), end.Samples)
	}
	return veristat.FromRecording(programs, samples), end, nil
}
