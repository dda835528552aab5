package compare

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"github.com/verialloc/verialloc/compare/veristat"
)

// WriteCSV writes two sides as veristat -C -o csv does, with _base, _comp and _diff of
// each column. A recording has the medians of its bare loads. It fails as veristat does
// on two CSVs whose columns are not the same; of a recording beside a CSV it takes the
// CSV's columns.
func WriteCSV(w io.Writer, base, comp *Input, names *NameMap, view veristat.View) error {
	a, b := base.asTable(), comp.asTable()
	switch {
	case base.table == nil && comp.table != nil:
		a.Columns = b.Columns
	case base.table != nil && comp.table == nil:
		b.Columns = a.Columns
	}
	renamed := map[key]key{}
	for _, s := range base.subjects {
		renamed[names.of(s.key)] = s.key
	}
	b.Rows = slices.Clone(b.Rows)
	for i := range b.Rows {
		if old, ok := renamed[key{b.Rows[i].File, b.Rows[i].Prog}]; ok {
			b.Rows[i].File, b.Rows[i].Prog = old.file, old.prog
		}
	}
	compared, err := veristat.Compare(&a, &b)
	if err != nil {
		return err
	}
	return compared.WriteCSV(w, view)
}

// asTable returns a side as veristat's table.
func (in *Input) asTable() veristat.Table {
	if in.table != nil {
		return *in.table
	}
	return *veristat.FromRecording(in.programs, in.bare)
}

// WriteExtendedCSV writes a comparison as CSV with a row for each program and, for each
// metric, _base and _comp (medians in the metric's unit), _diff as veristat has it, and
// _low, _high, _p, _floor, _verdict and _reason, where numbers in percent have no sign for
// it. What is not known is N/A; _reason is empty but for what is inconclusive.
func WriteExtendedCSV(w io.Writer, c *Comparison) error {
	header := []string{"file_name", "prog_name"}
	columns := c.metrics()
	for _, m := range columns {
		for _, suffix := range []string{"_base", "_comp", "_diff", "_low", "_high", "_p", "_floor", "_verdict", "_reason"} {
			header = append(header, m.name+suffix)
		}
	}
	lines := [][]string{header}
	for i := range c.Rows {
		row := &c.Rows[i]
		cells := []string{row.File, row.Prog}
		for _, m := range columns {
			cells = append(cells, row.result(m.name).cells()...)
		}
		lines = append(lines, cells)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// notAvailable is what veristat writes for a value that is not there.
const notAvailable = "N/A"

// cells returns a result's values for CSV; of nil, none is there.
func (r *Result) cells() []string {
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
	diff += " (" + formatChange(r.Change.estimate()) + ")"
	return []string{
		number(r.Base.Median), number(r.New.Median), diff,
		percent(r.Change.LoPercent), percent(r.Change.HiPercent), p, percent(r.FloorPercent), string(r.Verdict), string(r.Reason),
	}
}
