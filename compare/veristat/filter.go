package veristat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// A Filter admits rows or, with Deny, keeps them out: by name with globs in which *
// alone is special, or by a number. At least one glob is set, or Operator is.
type Filter struct {
	Deny bool

	AnyGlob  string // of the file's or the program's name
	FileGlob string
	ProgGlob string

	Selector Selector
	Operator Operator
	Number   int64
}

// An Operator compares a number of a row with that of a filter.
type Operator string

// The operators. Filters are read with == for = and <> for != too.
const (
	Equal          Operator = "="
	NotEqual       Operator = "!="
	Less           Operator = "<"
	LessOrEqual    Operator = "<="
	Greater        Operator = ">"
	GreaterOrEqual Operator = ">="
)

// spellings are the operators in the order in which they are looked for.
var spellings = []struct {
	text     string
	operator Operator
}{
	{"==", Equal},
	{"!=", NotEqual},
	{"<>", NotEqual},
	{"<=", LessOrEqual},
	{"<", Less},
	{">=", GreaterOrEqual},
	{">", Greater},
	{"=", Equal},
}

// words stand for numbers in filters, in any case.
var words = map[string]int64{
	"true": 1, "t": 1, "success": 1, "succ": 1, "s": 1, "match": 1, "m": 1,
	"false": 0, "f": 0, "failure": 0, "fail": 0, "mismatch": 0, "mis": 0,
}

// cSpace is what C takes for white space.
const cSpace = " \t\n\v\f\r"

// ParseFilter reads one filter, as -f takes it: [!]GLOB, [!]FILE/PROG with either
// glob left out, or [!]STAT OP NUMBER without spaces. Text that holds an operator is
// never a glob.
func ParseFilter(text string) (Filter, error) {
	rest, deny := strings.CutPrefix(text, "!")
	f := Filter{Deny: deny}
	for _, s := range spellings {
		if name, number, found := strings.Cut(rest, s.text); found {
			f.Operator = s.operator
			return f, f.parseNumber(text, name, number)
		}
	}
	var slash bool
	f.FileGlob, f.ProgGlob, slash = strings.Cut(rest, "/")
	if !slash {
		f.FileGlob, f.AnyGlob = "", rest
	}
	if f.AnyGlob+f.FileGlob+f.ProgGlob == "" {
		return Filter{}, fmt.Errorf("filter %q names nothing", text)
	}
	return f, nil
}

// parseNumber reads what a filter compares.
func (f *Filter) parseNumber(text, name, number string) (err error) {
	if f.Selector, err = parseSelector(name); err != nil {
		return fmt.Errorf("filter %q: %w", text, err)
	}
	if f.Selector.Stat.IsKey() {
		return fmt.Errorf("filter %q: %s is a name: filter it by a glob", text, f.Selector.Stat)
	}
	if n, ok := words[strings.ToLower(number)]; ok {
		f.Number = n
		return nil
	}
	if f.Number, err = strconv.ParseInt(strings.TrimLeft(number, cSpace), 10, 64); err != nil {
		return fmt.Errorf("filter %q: %q is no integer of 64 bits, nor success, failure, match or mismatch", text, number)
	}
	return nil
}

// String returns the filter in its canonical form.
func (f Filter) String() string {
	text := ""
	if f.Deny {
		text = "!"
	}
	switch {
	case f.Operator != "":
		return text + f.Selector.String() + string(f.Operator) + strconv.FormatInt(f.Number, 10)
	case f.AnyGlob != "":
		return text + f.AnyGlob
	default:
		return text + f.FileGlob + "/" + f.ProgGlob
	}
}

// Filters are those of one command line. A row passes if none denies it and if, of
// those that admit by name, one does, and of those that admit by number, one does.
type Filters []Filter

// ReadFilters reads filters from a file, one a line. White space before them, empty
// lines and those that start with # are skipped. Its errors name the line.
func ReadFilters(r io.Reader) (Filters, error) {
	var filters Filters
	lines := bufio.NewScanner(input.List.Reader(r))
	number := 1
	for ; lines.Scan() && lines.Err() == nil; number++ {
		text := strings.TrimLeft(lines.Text(), cSpace)
		if text == "" || text[0] == '#' {
			continue
		}
		f, err := ParseFilter(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		filters = append(filters, f)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: longer than %d bytes, which is no filter", number, bufio.MaxScanTokenSize)
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", number, err)
	}
	return filters, nil
}

// MatchFile reports whether a program of that file may pass. A file that may not need
// not be read.
func (f Filters) MatchFile(file string) bool {
	return f.pass(Filter.byName, func(filter Filter) bool {
		switch {
		case filter.Deny:
			return filter.AnyGlob != "" && match(filter.AnyGlob, file) ||
				filter.FileGlob != "" && match(filter.FileGlob, file)
		default:
			return filter.AnyGlob != "" || filter.FileGlob == "" || match(filter.FileGlob, file)
		}
	})
}

// MatchName reports whether the filters by name let a row pass.
func (f Filters) MatchName(file, prog string) bool {
	return f.pass(Filter.byName, func(filter Filter) bool {
		fileMatches := filter.FileGlob != "" && match(filter.FileGlob, file)
		progMatches := filter.ProgGlob != "" && match(filter.ProgGlob, prog)
		switch {
		case filter.AnyGlob != "":
			return match(filter.AnyGlob, file) || match(filter.AnyGlob, prog)
		case filter.Deny: // either glob is enough, unlike below
			return fileMatches || progMatches
		default:
			return (filter.FileGlob == "" || fileMatches) && (filter.ProgGlob == "" || progMatches)
		}
	})
}

func (f Filter) byName() bool   { return f.Operator == "" }
func (f Filter) byNumber() bool { return f.Operator != "" }

// pass applies the filters of one kind.
func (f Filters) pass(kind, matches func(Filter) bool) bool {
	admitted, admits := false, false
	for _, filter := range f {
		switch {
		case !kind(filter):
		case !filter.Deny:
			admits = true
			admitted = admitted || matches(filter)
		case matches(filter):
			return false
		}
	}
	return admitted || !admits
}

// match reports whether s is of the glob, in which * stands for any text and nothing
// else is special.
func match(glob, s string) bool {
	parts := strings.Split(glob, "*")
	if len(parts) == 1 {
		return glob == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, parts[last])
}
