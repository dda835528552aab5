package veristat

import (
	"io"
	"strings"
)

// write writes a whole table at once.
func write(w io.Writer, parts ...string) error {
	_, err := io.WriteString(w, strings.Join(parts, ""))
	return err
}

// csvLine joins fields as veristat does, which quotes none.
func csvLine(fields []string) string { return strings.Join(fields, ",") + "\n" }

// A grid is a table for people as veristat lays it out, which other tools read: titles, a
// rule and rows, in columns that are as wide as the widest cell in bytes.
type grid struct {
	columns []column
	rows    [][]string
}

type column struct {
	title     string
	ending    string // of the title; stands at the right of a column
	left      bool   // cells stand at the left
	leftTitle bool
	width     int
}

// gap is what separates columns.
const gap = "  "

// measure makes columns as wide as what they hold so far.
func (g *grid) measure() {
	for i := range g.columns {
		c := &g.columns[i]
		c.width = len(c.title) + len(c.ending)
		for _, row := range g.rows {
			c.width = max(c.width, len(row[i]))
		}
	}
}

// String returns the titles, the rule and the rows.
func (g *grid) String() string {
	titles := make([]string, len(g.columns))
	for i, c := range g.columns {
		titles[i] = pad(c.title, c.width-len(c.ending), c.leftTitle) + c.ending
	}
	var b strings.Builder
	b.WriteString(strings.Join(titles, gap) + "\n" + g.rule())
	padded := make([]string, len(g.columns))
	for _, row := range g.rows {
		for i, c := range g.columns {
			padded[i] = pad(row[i], c.width, c.left)
		}
		b.WriteString(strings.Join(padded, gap) + "\n")
	}
	return b.String()
}

func (g *grid) rule() string {
	dashes := make([]string, len(g.columns))
	for i, c := range g.columns {
		dashes[i] = strings.Repeat("-", c.width)
	}
	return strings.Join(dashes, gap) + "\n"
}

// pad fills text up to a width in bytes, as C does.
func pad(text string, width int, left bool) string {
	blanks := strings.Repeat(" ", max(0, width-len(text)))
	if left {
		return text + blanks
	}
	return blanks + text
}
