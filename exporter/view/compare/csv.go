package comparison

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// WriteCSV writes a comparison as CSV with a row for each program and, for each
// metric, _base and _comp (medians in the metric's unit), _diff as veristat has it, and
// _low, _high, _p, _floor, _verdict and _reason, where numbers in percent have no sign for
// it. What is not known is N/A; _reason is empty except of what is inconclusive.
// Names are as they are if they print; what does not print in them is a Go escape.
func WriteCSV(w io.Writer, c *compare.Comparison) error {
	header := []string{"file_name", "prog_name"}
	columns := c.Metrics()
	for _, m := range columns {
		for _, suffix := range []string{"_base", "_comp", "_diff", "_low", "_high", "_p", "_floor", "_verdict", "_reason"} {
			header = append(header, m.Name+suffix)
		}
	}
	lines := [][]string{header}
	for i := range c.Rows {
		row := &c.Rows[i]
		line := []string{text.Escape(row.File), text.Escape(row.Prog)}
		for _, m := range columns {
			line = append(line, cells(row.Result(m.Name))...)
		}
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// notAvailable is what veristat writes for a value that is not there.
const notAvailable = "N/A"

// cells returns a result's values for CSV; of nil, none is there.
func cells(r *compare.Result) []string {
	if r == nil {
		return append(slices.Repeat([]string{notAvailable}, 8), "")
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	percent := func(v *float64) string {
		if v == nil {
			return notAvailable
		}
		return strconv.FormatFloat(*v, 'f', 2, 64)
	}
	p := notAvailable
	if r.PHolm != nil {
		p = strconv.FormatFloat(*r.PHolm, 'g', 4, 64)
	}
	diff := number(r.Change.Absolute)
	if r.Change.Absolute >= 0 {
		diff = "+" + diff
	}
	diff += " (" + text.Change(r.Change.Estimate()) + ")"
	return []string{
		number(r.Base.Median), number(r.New.Median), diff,
		percent(r.Change.LoPercent), percent(r.Change.HiPercent), p, percent(r.FloorPercent), text.Escape(string(r.Verdict)), text.Escape(string(r.Reason)),
	}
}

// WriteVeristat writes two sides as veristat -C -o csv does, with _base, _comp and _diff
// of each column; see [compare.AsVeristat]. Names are as in WriteCSV.
func WriteVeristat(w io.Writer, base, comp *compare.Input, names *compare.NameMap, view veristat.View) error {
	joined, err := compare.AsVeristat(base, comp, names)
	if err != nil {
		return err
	}
	view.Names = text.Escape
	return joined.WriteCSV(w, view)
}
