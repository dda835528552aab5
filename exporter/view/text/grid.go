package text

import (
	"strings"
	"unicode/utf8"
)

// A Grid lays rows out in columns as wide as what they hold, because all rows are known
// before the first is shown.
type Grid struct {
	columns Layout
	rows    [][]string
}

// NewGrid returns one with its titles; columns have the width that is given at least.
func NewGrid(columns ...Column) *Grid { return &Grid{columns: columns} }

// Add adds a row, a cell for each column from the left. A row of one cell is a remark,
// which may be wider than its column.
func (g *Grid) Add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Escape(cell) // as wide as it is shown
	}
	g.rows = append(g.rows, row)
}

// Empty reports whether it has no row.
func (g *Grid) Empty() bool { return len(g.rows) == 0 }

// String returns the line of titles and a line for each row, without blanks at the end.
func (g *Grid) String() string {
	columns := append(Layout(nil), g.columns...)
	for i := range columns {
		c := &columns[i]
		c.width = max(c.width, utf8.RuneCountInString(c.title))
		for _, row := range g.rows {
			if i < len(row) && (len(row) > 1 || len(columns) == 1) {
				c.width = max(c.width, utf8.RuneCountInString(row[i]))
			}
		}
	}
	var b strings.Builder
	b.WriteString(columns.Header())
	for _, row := range g.rows {
		b.WriteString(columns.Line(row...))
	}
	return b.String()
}
