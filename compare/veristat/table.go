package veristat

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Table is what veristat writes as CSV: a row for each program. Names need not be
// unique.
type Table struct {
	Columns []Stat // in the order read
	Rows    []Row  // in the order read

	Counts Counts // what the last line of a table for people says
}

// Counts says how many files and programs were loaded and how many left out.
type Counts struct {
	Files, Progs, FilesSkipped, ProgsSkipped int
}

// WriteCSV writes the table as veristat -o csv does. ReadCSV reads it back, names
// included, if it has names and no extra columns; a row that is too long to be read is an
// error, and then nothing is written.
func (t *Table) WriteCSV(w io.Writer, v View) error {
	columns := v.columns(csvColumns(t.Columns))
	var names []string
	for _, s := range columns {
		names = append(names, s.Name())
	}
	for _, c := range v.Extra {
		names = append(names, c.Name)
	}
	lines := []string{csvLine(names)}
	for _, r := range v.top(t.selected(v)) {
		line := csvLine(v.cells(r, columns, v.csvName))
		if len(v.Extra) == 0 && len(line) > lineLimit+1 {
			return fmt.Errorf("the row of %.40q... has %d bytes: %w", v.csvName(r.File), len(line)-1, errLongLine)
		}
		lines = append(lines, line)
	}
	return write(w, lines...)
}

// WriteText writes the table as veristat does for people. Its columns are as wide as
// any row that passes the filters takes, also one that is not shown.
func (t *Table) WriteText(w io.Writer, v View) error {
	columns, g := v.columns(textColumns), grid{}
	for _, s := range columns {
		g.columns = append(g.columns, column{title: s.Header(), left: s.IsText(), leftTitle: s.IsKey() || s == Verdict})
	}
	for _, c := range v.Extra {
		g.columns = append(g.columns, column{title: c.Title})
	}
	rows := t.selected(v)
	for _, r := range rows {
		g.rows = append(g.rows, v.cells(r, columns, v.name))
	}
	g.measure()
	shown := len(v.top(rows))
	g.rows = g.rows[:shown]
	end := ""
	if shown > 0 && shown == len(rows) {
		end = g.rule() + fmt.Sprintf("Done. Processed %d files, %d programs. Skipped %d files, %d programs.\n",
			t.Counts.Files, t.Counts.Progs, t.Counts.FilesSkipped, t.Counts.ProgsSkipped)
	}
	return write(w, g.String(), end)
}

// selected returns the rows that pass the filters in the order asked for.
func (t *Table) selected(v View) []*Row {
	var rows []*Row
	for i := range t.Rows {
		if r := &t.Rows[i]; v.Filters.MatchName(r.File, r.Prog) && v.Filters.matchNumbers(r, v.Compat) {
			rows = append(rows, r)
		}
	}
	order := v.order()
	slices.SortStableFunc(rows, func(a, b *Row) int {
		for _, k := range order {
			if c := k.compareRows(a, b); c != 0 {
				return c
			}
		}
		return compareKeys(a, b)
	})
	return rows
}

// compareRows orders two rows by one key of a spec. The variant means nothing here.
func (k Key) compareRows(a, b *Row) int {
	switch {
	case k.Stat.IsKey():
		return k.directed(strings.Compare(a.text(k.Stat), b.text(k.Stat)))
	default:
		return k.directed(cmp.Compare(k.ofRow(a), k.ofRow(b)))
	}
}

// matchNumbers reports whether the filters by number let a row pass.
func (f Filters) matchNumbers(r *Row, compat bool) bool {
	return f.pass(Filter.byNumber, func(filter Filter) bool {
		filter.Selector.Absolute = filter.Selector.Absolute || compat
		return filter.Operator.holds(cmp.Compare(filter.Selector.ofRow(r), filter.Number))
	})
}

// ofRow returns the number that is selected of a row.
func (s Selector) ofRow(r *Row) int64 {
	number := r.numbers[s.Stat]
	if s.Absolute && number < 0 {
		return -number
	}
	return number
}
