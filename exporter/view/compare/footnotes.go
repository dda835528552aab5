package comparison

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// footnotes number the warnings: those that say the same have one number.
type footnotes struct {
	warnings []compare.Warning
	texts    []string // from number 1
	marked   map[string]bool
}

func newFootnotes(warnings []compare.Warning) *footnotes {
	f := &footnotes{warnings: warnings, marked: map[string]bool{}}
	for _, w := range warnings {
		if !slices.Contains(f.texts, w.Text) {
			f.texts = append(f.texts, w.Text)
		}
	}
	return f
}

// marks returns the numbers of what a metric of a row is doubted for, such as "1,3".
func (f *footnotes) marks(file, prog, metric string) string {
	var marks []string
	for _, w := range f.warnings {
		if w.File != file || w.Prog != prog || (w.Metric != "" && w.Metric != metric) {
			continue
		}
		f.marked[w.Text] = true
		number := strconv.Itoa(slices.Index(f.texts, w.Text) + 1)
		if !slices.Contains(marks, number) {
			marks = append(marks, number)
		}
	}
	return strings.Join(marks, ",")
}

// rowMarks returns those of a row, as they are in brackets.
func (f *footnotes) rowMarks(row *compare.Row, metric string) string {
	marks := f.marks(row.File, row.Prog, metric)
	if row.NewFile != "" {
		more := f.marks(row.NewFile, row.NewProg, metric)
		marks = strings.Trim(marks+","+more, ",")
	}
	if marks == "" {
		return ""
	}
	return "[" + marks + "]"
}

// lines returns the numbered texts. One that no row shown has a mark of says which
// programs it is about.
func (f *footnotes) lines() []string {
	lines := make([]string, len(f.texts))
	for i, note := range f.texts {
		about := ""
		if !f.marked[note] {
			about = f.programs(note)
		}
		lines[i] = fmt.Sprintf("[%d] %s%s", i+1, about, text.Printable(note))
	}
	return lines
}

// programs names the first program of a note and how many more there are, empty if it is
// about none.
func (f *footnotes) programs(note string) string {
	var names []string
	for _, w := range f.warnings {
		if name := w.File + "/" + w.Prog; w.Text == note && w.Prog != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return text.Printable(names[0]) + ": "
	default:
		return fmt.Sprintf("%s and %d more: ", text.Printable(names[0]), len(names)-1)
	}
}
