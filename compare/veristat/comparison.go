package veristat

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Comparison is two tables joined on file and program, as veristat -C does it.
type Comparison struct {
	Columns []Stat // of both tables
	Pairs   []Pair // by file and program
}

// A Pair is one program on both sides. A side is nil where it has no such row.
type Pair struct {
	File, Prog string
	Base, Comp *Row
}

// Compare joins two tables that have the same columns in the same order. Of rows of
// one name, the first ones make a pair, then the second ones, and so on. The pairs
// refer to the rows of the tables.
func Compare(base, comp *Table) (*Comparison, error) {
	if err := checkColumns(base.Columns, comp.Columns); err != nil {
		return nil, err
	}
	c := &Comparison{Columns: base.Columns}
	bases, comps := sorted(base), sorted(comp)
	for len(bases)+len(comps) > 0 {
		var p Pair
		order := compareHeads(bases, comps)
		if order <= 0 {
			p.Base, bases = bases[0], bases[1:]
			p.File, p.Prog = p.Base.File, p.Base.Prog
		}
		if order >= 0 {
			p.Comp, comps = comps[0], comps[1:]
			p.File, p.Prog = p.Comp.File, p.Comp.Prog
		}
		c.Pairs = append(c.Pairs, p)
	}
	return c, nil
}

func checkColumns(base, comp []Stat) error {
	if slices.Equal(base, comp) {
		return nil
	}
	names := func(columns []Stat) string {
		texts := make([]string, len(columns))
		for i, s := range columns {
			texts[i] = s.Name()
		}
		return strings.Join(texts, ",")
	}
	return fmt.Errorf("the tables differ in their columns: %s against %s", names(base), names(comp))
}

func sorted(t *Table) []*Row {
	rows := make([]*Row, len(t.Rows))
	for i := range t.Rows {
		rows[i] = &t.Rows[i]
	}
	slices.SortStableFunc(rows, compareKeys)
	return rows
}

// compareHeads orders the first rows of both sides; a side that has none comes last.
func compareHeads(bases, comps []*Row) int {
	switch {
	case len(comps) == 0:
		return -1
	case len(bases) == 0:
		return 1
	default:
		return compareKeys(bases[0], comps[0])
	}
}

// The endings of titles and of CSV columns, of the three that a stat takes unless it
// is a key.
var (
	titleEndings = [...]string{" (A)", " (B)", " (DIFF)"}
	csvEndings   = [...]string{"_base", "_comp", "_diff"}
)

// comparedStat returns the stat of a column of a comparison's CSV.
func comparedStat(name string) (Stat, bool) {
	for _, ending := range csvEndings {
		if bare, cut := strings.CutSuffix(name, ending); cut {
			s, ok := byName[bare]
			return s, ok
		}
	}
	return 0, false
}

// WriteCSV writes the comparison as veristat -C -o csv does.
func (c *Comparison) WriteCSV(w io.Writer, v View) error {
	columns := v.columns(csvColumns(c.Columns))
	var names []string
	for _, s := range columns {
		if s.IsKey() {
			names = append(names, s.Name())
			continue
		}
		for _, ending := range csvEndings {
			names = append(names, s.Name()+ending)
		}
	}
	lines := []string{csvLine(names)}
	for _, p := range c.selected(v) {
		fields := v.pairCells(p, columns, v.csvName)
		if v.Compat && !columns[0].IsKey() {
			fields = append([]string{fields[0] + fields[1] + fields[2]}, fields[3:]...)
		}
		lines = append(lines, csvLine(fields))
	}
	return write(w, lines...)
}

// WriteText writes the comparison as veristat -C does for people. Unlike a table it
// ends with its last row.
func (c *Comparison) WriteText(w io.Writer, v View) error {
	columns, g := v.columns(textColumns), grid{}
	for _, s := range columns {
		if s.IsKey() {
			g.columns = append(g.columns, column{title: s.Header(), left: true, leftTitle: true})
			continue
		}
		for _, ending := range titleEndings {
			g.columns = append(g.columns, column{title: s.Header(), ending: ending, left: s.IsText(), leftTitle: true})
		}
	}
	for _, p := range c.selected(v) {
		g.rows = append(g.rows, v.pairCells(p, columns, v.name))
	}
	g.measure()
	return write(w, g.String())
}

// selected returns the pairs that are shown, in the order asked for.
func (c *Comparison) selected(v View) []Pair {
	var pairs []Pair
	for _, p := range c.Pairs {
		if v.Filters.MatchName(p.File, p.Prog) && v.Filters.matchPair(p, v.Compat) {
			pairs = append(pairs, p)
		}
	}
	order := v.order()
	slices.SortStableFunc(pairs, func(a, b Pair) int {
		for _, k := range order {
			if c := k.comparePairs(a, b); c != 0 {
				return c
			}
		}
		return a.compareKeys(b)
	})
	return pairs[:v.shown(len(pairs))]
}

func (p Pair) compareKeys(q Pair) int {
	return compareKeys(&Row{File: p.File, Prog: p.Prog}, &Row{File: q.File, Prog: q.Prog})
}

// pairCells returns what is printed of a pair: one cell of a key, as name writes it, and
// three of any other.
func (v View) pairCells(p Pair, columns []Stat, name func(string) string) []string {
	var texts []string
	for _, s := range columns {
		switch s {
		case FileName:
			texts = append(texts, name(p.File))
		case ProgName:
			texts = append(texts, name(p.Prog))
		default:
			texts = append(texts, sideText(p.Base, s), sideText(p.Comp, s), p.diffText(s))
		}
	}
	return texts
}

func sideText(r *Row, s Stat) string {
	if r == nil {
		return notAvailable
	}
	return r.text(s)
}

// diffText says how the sides differ: by how much, or whether at all.
func (p Pair) diffText(s Stat) string {
	switch {
	case p.Base == nil || p.Comp == nil:
		return notAvailable
	case !s.IsText():
		base, comp := p.Base.numbers[s], p.Comp.numbers[s]
		return fmt.Sprintf("%+d (%+.2f%%)", comp-base, percent(base, comp))
	case p.Base.text(s) == p.Comp.text(s):
		return "MATCH"
	default:
		return "MISMATCH"
	}
}

// percent returns the change from base to comp in per cent of base. From 0 it is 100
// or -100, or 0 if there is none.
func percent(base, comp int64) float64 {
	switch {
	case base != 0:
		return float64(comp-base) * 100 / float64(base)
	case comp > 0:
		return 100
	case comp < 0:
		return -100
	default:
		return 0
	}
}
