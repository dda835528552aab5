package veristat

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// lineLimit is the longest line without its end that veristat reads in one piece.
const lineLimit = 4094

// ReadCSV reads a table that veristat wrote, with all of its columns or some in any
// order, file_name and prog_name among them. Fields are never quoted; names may have Go's
// escapes, as WriteCSV writes them. It returns the whole table or an error that names the
// line: a field too many or too few, an empty one, a column that is unknown or there twice,
// a value that is none of the column's. It reads 64 MiB at most.
func ReadCSV(r io.Reader) (*Table, error) { return (&csvReader{}).read(r) }

// ReadCSVs is ReadCSV of tables that follow one another, each with its header, as one
// table. Their columns must be the same. Empty lines may stand between them and at the end.
func ReadCSVs(r io.Reader) (*Table, error) { return (&csvReader{many: true}).read(r) }

// csvReader reads a table line by line: what is none ends it at once.
type csvReader struct {
	many   bool   // the header may be repeated
	table  *Table // nil ahead of the header
	header string
	empty  int // the first of the empty lines ahead of this one; 0: there is none
}

func (c *csvReader) read(r io.Reader) (*Table, error) {
	lines := bufio.NewScanner(input.Table.Reader(r))
	lines.Buffer(nil, lineLimit+2)
	number := 1
	for ; lines.Scan() && lines.Err() == nil; number++ {
		if err := c.line(number, lines.Text()); err != nil {
			return nil, err
		}
	}
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: %w", number, errLongLine)
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", number, err)
	case c.table == nil:
		return nil, errors.New("line 1: there is none: want veristat's header, such as file_name,prog_name,verdict")
	}
	return c.table, nil
}

// line takes one line.
func (c *csvReader) line(number int, text string) error {
	if text == "" && c.many && c.table != nil {
		c.empty = cmp.Or(c.empty, number)
		return nil
	}
	again := c.many && c.table != nil && (text == c.header || isHeader(text))
	if c.empty > 0 && !again {
		return fmt.Errorf("line %d: empty", c.empty)
	}
	c.empty = 0
	err := checkLine(text)
	switch {
	case err != nil:
	case c.table == nil:
		c.table, c.header = &Table{}, text
		c.table.Columns, err = parseHeader(text)
	case again && text != c.header:
		err = errors.New("the table that begins here has other columns than the first")
	case !again:
		err = c.table.parseRow(text)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", number, err)
	}
	return nil
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

// isHeader reports whether all fields of a line are columns. A file may have the name of one.
func isHeader(line string) bool {
	for name := range strings.SplitSeq(line, ",") {
		if _, ok := byName[name]; !ok {
			return false
		}
	}
	return true
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
