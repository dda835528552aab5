package veristat

import "slices"

// A View says what of a table or a comparison is shown and how. The zero View is
// veristat without options.
type View struct {
	Emit    Spec // columns; none: veristat's default for the format
	Sort    Spec // order; none: by file and program, which also settles ties
	Filters Filters
	Top     int // show that many rows at most; 0: all

	// Names, if it is there, returns how the name of a file or of a program is written: as
	// what fits where it goes, since a table may come from anywhere. nil: as it is.
	Names func(string) string

	// Extra follows the columns of a table. Its rows are those of Table.Rows.
	Extra []Column

	// Compat keeps what veristat does and plainly does not mean: filters by number
	// go by magnitude, with or without bars; and the CSV of a comparison that does
	// not start with a name lacks the commas between its first three fields.
	Compat bool
}

// textColumns are those of tables for people.
var textColumns = []Stat{FileName, ProgName, Verdict, Duration, TotalInsns, TotalStates, ProgSize, ProgSizeJited}

// csvColumns are those of CSV: all that veristat 0.5.1 has, and any other only if it
// was read.
func csvColumns(read []Stat) []Stat {
	var columns []Stat
	for s := range statCount {
		if s != MaxStackDepth || slices.Contains(read, s) {
			columns = append(columns, s)
		}
	}
	return columns
}

func (v View) columns(byDefault []Stat) []Stat {
	if len(v.Emit) == 0 {
		return byDefault
	}
	return v.Emit.stats()
}

func (v View) order() Spec {
	if len(v.Sort) == 0 {
		return Spec{{Selector{Stat: FileName}, true}, {Selector{Stat: ProgName}, true}}
	}
	return v.Sort
}

// top returns the rows that are shown of those selected.
func (v View) top(rows []*Row) []*Row { return rows[:v.shown(len(rows))] }

func (v View) shown(rows int) int {
	if v.Top == 0 {
		return rows
	}
	return max(0, min(v.Top, rows))
}

// directed turns what an ascending comparison found into what the key asks for.
func (k Key) directed(c int) int {
	if k.Ascending {
		return c
	}
	return -c
}

// holds reports whether the operator holds for c, which is what cmp.Compare returned of its
// sides.
func (o Operator) holds(c int) bool {
	switch o {
	case Equal:
		return c == 0
	case NotEqual:
		return c != 0
	case Less:
		return c < 0
	case LessOrEqual:
		return c <= 0
	case Greater:
		return c > 0
	default:
		return c >= 0
	}
}

// name returns how a name is written.
func (v View) name(text string) string {
	if v.Names == nil {
		return text
	}
	return v.Names(text)
}
