package veristat

import (
	"errors"
	"io"

	"github.com/verialloc/verialloc/tracer/record"
)

// A Table is what veristat writes as CSV: a row for each program.
type Table struct {
	Columns []Stat // in the order read
	Rows    []Row  // in the order read

	Counts Counts // what the last line of a table for people says
}

// Counts says how many files and programs were loaded and how many left out.
type Counts struct {
	Files, Progs, FilesSkipped, ProgsSkipped int
}

// A Row is one program.
type Row struct {
	File, Prog string // File is a base name where veristat wrote it

	numbers [statCount]int64
	present [statCount]bool
}

// A Value is what a row has for a stat.
type Value struct {
	Text   string // as veristat prints it
	Number int64  // what sorting and filtering go by; 0 of a key
}

// Value returns the row's value, and false if it has none; veristat then prints that
// of 0.
func (r *Row) Value(s Stat) (Value, bool) { return Value{}, false }

// A View says what of a table is shown and how. The zero View is veristat without
// options.
type View struct {
	Emit    Spec // columns; none: veristat's default for the format
	Sort    Spec // order; none: by file and program
	Filters Filters
	Top     int // show that many rows at most; 0: all

	// Compat keeps behaviour of veristat that is plainly not meant; see
	// docs/veristat.md.
	Compat bool
}

// ReadCSV reads a table that veristat wrote, with all of its columns or some. Its
// errors name the line.
func ReadCSV(r io.Reader) (*Table, error) { return nil, errors.ErrUnsupported }

// WriteCSV writes the table as veristat -o csv does.
func (t *Table) WriteCSV(w io.Writer, v View) error { return errors.ErrUnsupported }

// WriteText writes the table as veristat does for people.
func (t *Table) WriteText(w io.Writer, v View) error { return errors.ErrUnsupported }

// FromRecording returns a row for each program that has bare samples or that could
// not be loaded, with the medians of its bare samples; of an even number of samples
// the lower of the middle two, so that each value is one that was seen.
func FromRecording(programs []record.Program, samples []record.Sample) *Table { return nil }
