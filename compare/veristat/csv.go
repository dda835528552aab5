package veristat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// lineLimit is the longest line without its end that veristat reads in one piece.
const lineLimit = 4094

// ReadCSV reads a table that veristat wrote, with all of its columns or some in any
// order, file_name and prog_name among them. Fields are never quoted. It returns the
// whole table or an error that names the line: a field too many or too few, an empty
// one, a column that is unknown or there twice, a value that is none of the column's.
func ReadCSV(r io.Reader) (*Table, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, lineLimit+2)
	var t *Table
	number := 1
	for ; lines.Scan(); number++ {
		err := checkLine(lines.Text())
		switch {
		case err != nil:
		case t == nil:
			t = new(Table)
			t.Columns, err = parseHeader(lines.Text())
		default:
			err = t.parseRow(lines.Text())
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: %w", number, errLongLine)
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", number, err)
	case t == nil:
		return nil, errors.New("line 1: there is none: want veristat's header, such as file_name,prog_name,verdict")
	}
	return t, nil
}

var errLongLine = fmt.Errorf("longer than %d bytes, which veristat does not read", lineLimit)

func checkLine(line string) error {
	switch {
	case line == "":
		return errors.New("empty")
	case len(line) > lineLimit:
		return errLongLine
	case strings.Contains(line, "\x00"):
		return errors.New("holds a zero byte: not text")
	}
	return nil
}

func parseHeader(line string) ([]Stat, error) {
	var columns []Stat
	for name := range strings.SplitSeq(line, ",") {
		s, ok := byName[name]
		if !ok {
			if stat, found := comparedStat(name); found {
				return nil, fmt.Errorf("column %q is of a comparison of two tables: want a table, with column %s", name, stat)
			}
			return nil, fmt.Errorf("column %q is none of veristat's: want %s", name, strings.Join(statNames(), ","))
		}
		if slices.Contains(columns, s) {
			return nil, fmt.Errorf("column %s is there twice", s)
		}
		columns = append(columns, s)
	}
	for _, key := range []Stat{FileName, ProgName} {
		if !slices.Contains(columns, key) {
			return nil, fmt.Errorf("column %s is missing", key)
		}
	}
	return columns, nil
}

func (t *Table) parseRow(line string) error {
	fields := strings.Split(line, ",")
	if len(fields) != len(t.Columns) {
		return fmt.Errorf("%d fields, where the header has %d", len(fields), len(t.Columns))
	}
	var row Row
	for i, s := range t.Columns {
		if fields[i] == "" {
			return fmt.Errorf("%s is empty", s)
		}
		if err := row.parse(s, fields[i]); err != nil {
			return err
		}
	}
	t.Rows = append(t.Rows, row)
	return nil
}
