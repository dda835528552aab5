package bench

import (
	"io"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// Rows are what veristat shows: a *veristat.Table or a *veristat.Comparison.
type Rows interface {
	WriteCSV(io.Writer, veristat.View) error
	WriteText(io.Writer, veristat.View) error
}

// WriteText writes rows as veristat does for people.
func WriteText(w io.Writer, rows Rows, view veristat.View) error {
	view.Names = text.Escape
	return rows.WriteText(w, view)
}

// WriteCSV writes rows as veristat -o csv does. Other programs look for the names in it,
// so they are as they are if they print; what does not print in them, and a comma, is a Go
// escape, by which [veristat.ReadCSV] reads it back.
func WriteCSV(w io.Writer, rows Rows, view veristat.View) error {
	view.Names = text.Escape
	return rows.WriteCSV(w, view)
}

// CheckNames refuses names that are too long for a line that WriteCSV writes.
func CheckNames(file, prog string) error {
	return veristat.View{Names: text.Escape}.CheckNames(file, prog)
}
