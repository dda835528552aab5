package main

import (
	"fmt"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/feed/benchfmt"
	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// write writes the result, or the rest of it.
func (r *benchRun) write(c *collection, failed map[int]error) error {
	switch r.options.format.value {
	case "jsonl":
		return r.result.Finish(r.ending)
	case "benchfmt":
		return r.writeBenchfmt()
	default:
		return r.writeRows(c, failed)
	}
}

// writeBenchfmt writes a line for each sample, and a comment if some are missing.
func (r *benchRun) writeBenchfmt() error {
	result := r.result.Recording()
	err := benchfmt.Write(r.out, result.Machine, result.Programs, result.Samples)
	if err != nil || !r.ending.Interrupted {
		return err
	}
	_, err = fmt.Fprintf(r.out, "# interrupted: %d samples, fewer than asked for\n", r.bench.Samples())
	return err
}

// writeRows writes a row for each program, as veristat does. A program whose turn had
// not come when the bench was interrupted has none.
func (r *benchRun) writeRows(c *collection, failed map[int]error) error {
	result := r.result.Recording()
	var all []recording.Loads
	for _, l := range result.Loads() {
		p := *l.Program
		if err := failed[p.ID]; err != nil && len(l.Bare) == 0 {
			p.Failure = err.Error()
		}
		if l.Program = &p; len(l.Bare) > 0 || p.Failure != "" {
			all = append(all, l)
		}
	}
	t := veristat.FromRecording(all)
	t.Counts = c.counts
	view := r.options.view
	if r.options.extended {
		rows := map[*veristat.Row]*recording.Loads{}
		for i := range t.Rows { // there is one for each program
			rows[&t.Rows[i]] = &all[i]
		}
		view.Extra = bench.ExtraColumns(rows)
	}
	if r.options.format.value == "csv" {
		return bench.WriteCSV(r.out, t, view)
	}
	if err := bench.WriteText(r.out, t, view); err != nil {
		return err
	}
	if err := bench.WriteFits(r.out, result.Fits()); err != nil || !r.options.extended {
		return err
	}
	if err := bench.WriteAbsences(r.out, result.Samples, &r.ending); err != nil {
		return err
	}
	return bench.WriteDisturbances(r.out, all)
}
