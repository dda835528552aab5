package compare

import (
	"slices"
	"strconv"
	"strings"
)

// footnotes number the warnings: those that say the same have one number.
type footnotes struct {
	warnings []Warning
	texts    []string // from number 1
}

func newFootnotes(warnings []Warning) *footnotes {
	f := &footnotes{warnings: warnings}
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
		number := strconv.Itoa(slices.Index(f.texts, w.Text) + 1)
		if !slices.Contains(marks, number) {
			marks = append(marks, number)
		}
	}
	return strings.Join(marks, ",")
}

// rowMarks returns those of a row, as they are in brackets.
func (f *footnotes) rowMarks(row *Row, metric string) string {
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
