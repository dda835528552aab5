package veristat

import (
	"errors"
	"io"
)

// A Comparison is two tables joined on file and program, as veristat -C does it.
type Comparison struct {
	Pairs []Pair // by file and program
}

// A Pair is one program on both sides. One side is nil where it has no such row.
type Pair struct {
	File, Prog string
	Base, Comp *Row
}

// Compare joins two tables that have the same columns in the same order. Of rows of
// the same name, the first ones make a pair, then the second ones, and so on.
// Filters by name apply to each side before.
func Compare(base, comp *Table, filters Filters) (*Comparison, error) { return nil, errors.ErrUnsupported }

// WriteCSV writes the comparison as veristat -C -o csv does.
func (c *Comparison) WriteCSV(w io.Writer, v View) error { return errors.ErrUnsupported }

// WriteText writes the comparison as veristat -C does for people.
func (c *Comparison) WriteText(w io.Writer, v View) error { return errors.ErrUnsupported }
