package text

import (
	"strings"
	"unicode/utf8"
)

// A Column is one of a [Layout] or of a [Grid].
type Column struct {
	title string
	width int
	left  bool // aligned; numbers are not
}

// A Layout lays cells out in columns of fixed width, because rows are shown as
// they come and no later one can widen those before it.
type Layout []Column

// Left returns a column whose cells stand at the left, as words do.
func Left(title string, width int) Column { return Column{title, width, true} }

// Right returns a column whose cells stand at the right, as numbers do.
func Right(title string, width int) Column { return Column{title, width, false} }

// gap is the number of spaces between columns.
const gap = 2

// Header returns the line of titles.
func (l Layout) Header() string {
	cells := make([]string, len(l))
	for i, c := range l {
		cells[i] = c.title
	}
	return l.Line(cells...)
}

// Line returns one line, a cell for each column from the left. A cell wider than
// its column takes the room of what follows, so that those after align again. Whatever
// does not print is escaped: nothing that a cell holds can reach a terminal as it is.
func (l Layout) Line(cells ...string) string {
	var b strings.Builder
	written, end := 0, 0
	for i, cell := range cells {
		cell = Escape(cell)
		width := utf8.RuneCountInString(cell)
		start := end
		end = start + l[i].width + gap
		if width == 0 {
			continue
		}
		if !l[i].left {
			start = max(start, end-gap-width)
		}
		if written > 0 {
			start = max(start, written+1)
		}
		b.WriteString(strings.Repeat(" ", start-written))
		b.WriteString(cell)
		written = start + width
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}
