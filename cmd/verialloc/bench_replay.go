package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// benchReplay shows an earlier result.
func (a *app) benchReplay(ctx context.Context, o *benchOptions, args []string) error {
	return a.show(ctx, o, args, func() (bench.Rows, error) { return a.readRows(o, args[0]) })
}

// benchCompare compares two earlier results.
func (a *app) benchCompare(ctx context.Context, o *benchOptions, args []string) error {
	return a.show(ctx, o, args, func() (bench.Rows, error) {
		base, err := a.readRows(o, args[0])
		if err != nil {
			return nil, err
		}
		comp, err := a.readRows(o, args[1])
		if err != nil {
			return nil, err
		}
		c, err := veristat.Compare(base, comp)
		if err != nil {
			return nil, fmt.Errorf("%s and %s: %w", args[0], args[1], err)
		}
		return c, nil
	})
}

// show reads rows of files, behind a fence, and writes them to where the flags say.
func (a *app) show(ctx context.Context, o *benchOptions, files []string, read func() (bench.Rows, error)) (err error) {
	for _, path := range files {
		// Ahead of an output that may wait for a reader.
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	out, err := a.openOutput(ctx, o.output)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, out.close()) }()
	a.confine(untilBegun(readLimits(), out))
	rows, err := read()
	if err != nil {
		return err
	}
	write := bench.WriteText
	if o.format.value == "csv" {
		write = bench.WriteCSV
	}
	return out.failure(write(&lateOutput{output: out}, rows, o.view))
}

// readRows reads the rows of a result: CSV of veristat or bench, or a recording.
func (a *app) readRows(o *benchOptions, path string) (*veristat.Table, error) {
	file, err := input.Recording.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var t *veristat.Table
	if recording.Sniff(reader) {
		t, err = a.readRecording(reader, o.partial, path)
	} else {
		t, err = veristat.ReadCSV(reader)
	}
	if err != nil {
		return nil, advisePartial(fmt.Errorf("%s: %w", path, err))
	}
	return t, nil
}

// readRecording reads the rows of a recording, and warns of what is doubtful in it.
func (a *app) readRecording(reader *bufio.Reader, partial bool, path string) (*veristat.Table, error) {
	rec, err := recording.Read(reader, recording.Options{Partial: partial, Bench: true, Slim: true})
	if err != nil {
		return nil, err
	}
	for _, w := range rec.Warnings {
		a.log().Warn().Msgf("%s: %s", path, w.Text)
	}
	return veristat.FromRecording(rec.Loads()), nil
}

// advisePartial adds to an error of a file that was cut off that it can be taken anyway.
func advisePartial(err error) error {
	if errors.Is(err, recording.ErrCutOff) {
		return fmt.Errorf("%w: --partial takes what is there", err)
	}
	return err
}
