package compare

import (
	"strings"
	"unicode/utf8"
)

// grid is a table of text with columns as wide as what they hold.
type grid struct {
	left  []bool // by column: aligned left, as words are
	cells [][]string
}

// newGrid returns one with a title a column; those that begin with < are aligned left.
func newGrid(titles ...string) *grid {
	g := &grid{left: make([]bool, len(titles))}
	row := make([]string, len(titles))
	for i, title := range titles {
		row[i], g.left[i] = strings.CutPrefix(title, "<")
	}
	g.cells = [][]string{row}
	return g
}

// add adds a line; one of a single cell is a remark that may be wider than its column.
func (g *grid) add(cells ...string) { g.cells = append(g.cells, cells) }

// writeTo writes the lines, each behind an indent.
func (g *grid) writeTo(b *strings.Builder, indent string) {
	widths := make([]int, len(g.left))
	for _, row := range g.cells {
		for i, cell := range row {
			if len(row) == 1 && len(widths) > 1 {
				continue // a remark, with room to its right
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range g.cells {
		var line strings.Builder
		line.WriteString(indent)
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			if g.left[i] {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
