package comparison

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// WriteTable writes a comparison for people at a terminal: what was compared, a table for
// each metric, ceilings, slack, and the warnings as footnotes.
func WriteTable(w io.Writer, c *compare.Comparison) error {
	var b strings.Builder
	notes := footnotesOf(c)
	writeSources(&b, c)
	for _, metric := range c.Metrics() {
		b.WriteByte('\n')
		writeMetric(&b, c, metric, notes)
	}
	writeCeilings(&b, c)
	writeSlack(&b, c)
	writeUnmatched(&b, c)
	if len(notes.texts) > 0 {
		b.WriteByte('\n')
	}
	for _, line := range notes.lines() {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title returns a metric's name and what it is of.
func title(m compare.Metric) string {
	what := "bare loads"
	if m.Mode == record.ModeTraced {
		what = "traced loads"
	}
	if m.MoreIsBetter {
		return m.Name + ", " + what + ", more is better"
	}
	return m.Name + ", " + what
}

// describe returns a source in one line.
func describe(s *compare.Source) string {
	name := text.Printable(s.Name) + ": "
	if s.Format == compare.FormatVeristat {
		return name + "veristat CSV, " + text.Count(s.Programs, "program")
	}
	return name + fmt.Sprintf("Linux %s %s, %s, %s", text.Printable(s.Kernel), text.Printable(s.Build),
		text.Count(s.Programs, "program"), text.Count(s.Samples, "sample"))
}

// floorSource says what the noise floor comes from.
func floorSource(c *compare.Comparison) string {
	switch {
	case c.Noise != nil:
		return "against " + describe(c.Noise)
	case c.Base.Format == compare.FormatVeristat:
		return "not known: a CSV has one sample of each program"
	default:
		return "the first half of BASE's samples against the second"
	}
}

func writeSources(b *strings.Builder, c *compare.Comparison) {
	fmt.Fprintf(b, "BASE   %s\nNEW    %s\nnoise  %s\n", describe(&c.Base), describe(&c.New), floorSource(c))
	for i, d := range c.Differences {
		head := "differ"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(b, "%-6s %s: %s -> %s\n", head, text.Printable(d.What), text.Printable(d.Base), text.Printable(d.New))
	}
	for _, u := range c.Unknown {
		fmt.Fprintf(b, "%-6s %s\n", "unsure", unknownText(&u))
	}
	b.WriteString("change is the median of all differences between samples, not the difference of the medians\n")
}

// unknownText says what is not known of which side, and why.
func unknownText(u *compare.Unknown) string {
	on := func(side, why string) string { return "not known on " + side + ": " + text.Escape(why) }
	if u.Base == u.New {
		return text.Printable(u.What) + ": " + on("BASE and NEW", u.Base)
	}
	var sides []string
	if u.Base != "" {
		sides = append(sides, on("BASE", u.Base))
	}
	if u.New != "" {
		sides = append(sides, on("NEW", u.New))
	}
	return text.Printable(u.What) + ": " + strings.Join(sides, "; ")
}

func writeMetric(b *strings.Builder, c *compare.Comparison, m compare.Metric, notes *footnotes) {
	g := text.NewGrid(
		text.Left(title(m), 0), text.Right("n", 0), text.Right("BASE", 0), text.Right("n", 0), text.Right("NEW", 0),
		text.Right("change", 0), text.Right("interval", 0), text.Right("p (Holm)", 0), text.Right("floor", 0),
		text.Right("detectable", 0), text.Left("verdict", 0), text.Left("", 0),
	)
	for i := range c.Rows {
		row := &c.Rows[i]
		r := row.Result(m.Name)
		if r == nil || r.Unremarkable() {
			continue
		}
		g.Add(
			rowName(row),
			strconv.Itoa(r.Base.Samples), median(&r.Base, r.Unit),
			strconv.Itoa(r.New.Samples), median(&r.New, r.Unit),
			text.Change(r.Change.Estimate()), interval(r.Change.LoPercent, r.Change.HiPercent),
			optional(r.PHolm, pValue), optional(r.FloorPercent, text.Percent),
			optional(r.MinDetectablePercent, text.Percent),
			string(r.Verdict), resultNotes(r, notes.rowMarks(row, m.Name)),
		)
	}
	for i := range c.GeometricMeans {
		if mean := &c.GeometricMeans[i]; mean.Metric == m.Name && !mean.Unremarkable() {
			g.Add(meanTitle(c, mean), "", "", "", "", text.Change(mean.Percent),
				interval(mean.LoPercent, mean.HiPercent), text.None, optional(mean.FloorPercent, text.Percent), text.None,
				string(mean.Verdict), "")
		}
	}
	same := unremarkable(c, m)
	if g.Empty() && same != "" {
		fmt.Fprintf(b, "%s\n%s\n", title(m), same)
		return
	}
	if same != "" {
		g.Add(same)
	}
	b.WriteString(g.String())
	writeTails(b, c, m)
}

// meanTitle says of how many programs a geometric mean is, and of how many it might be.
func meanTitle(c *compare.Comparison, mean *compare.GeometricMean) string {
	all := 0
	for i := range c.Rows {
		if c.Rows[i].Result(mean.Metric) != nil {
			all++
		}
	}
	if mean.Rows == all {
		return fmt.Sprintf("geometric mean of %d", all)
	}
	return fmt.Sprintf("geometric mean of %d of %d", mean.Rows, all)
}

// unremarkable says how many programs have no line of a metric, empty if all have.
func unremarkable(c *compare.Comparison, m compare.Metric) string {
	count := 0
	for i := range c.Rows {
		if r := c.Rows[i].Result(m.Name); r != nil && r.Unremarkable() {
			count++
		}
	}
	if count == 0 {
		return ""
	}
	return "the same on both sides: " + text.Count(count, "program")
}

// rowName returns the row's file and program, and what NEW calls it if that is not the same.
func rowName(r *compare.Row) string {
	name := text.Printable(r.File) + "/" + text.Printable(r.Prog)
	if r.NewFile != "" {
		name += " -> " + text.Printable(r.NewFile) + "/" + text.Printable(r.NewProg)
	}
	return name
}

// resultNotes returns what else is to be said of a result.
func resultNotes(r *compare.Result, marks string) string {
	var words []string
	if r.Verdict == compare.Inconclusive {
		words = append(words, r.ReasonText())
	}
	if r.Deterministic {
		words = append(words, "deterministic")
	}
	if r.AllocatorsOwn {
		words = append(words, "(change without the allocators' own)")
	}
	if marks != "" {
		words = append(words, marks)
	}
	return strings.Join(words, " ")
}

func writeTails(b *strings.Builder, c *compare.Comparison, m compare.Metric) {
	g := text.NewGrid(
		text.Left("  tail", 0), text.Right("", 0), text.Right("BASE", 0), text.Right("NEW", 0),
		text.Right("change", 0), text.Right("interval", 0),
	)
	for i := range c.Rows {
		if r := c.Rows[i].Result(m.Name); r != nil {
			for _, t := range r.Tails {
				g.Add("  "+rowName(&c.Rows[i]), "p"+strconv.FormatFloat(100*t.Quantile, 'f', -1, 64),
					value(t.Base, r.Unit), value(t.New, r.Unit),
					text.Change(t.Percent), interval(&t.LoPercent, &t.HiPercent))
			}
		}
	}
	if !g.Empty() {
		b.WriteString(g.String())
	}
}

func writeUnmatched(b *strings.Builder, c *compare.Comparison) {
	if len(c.Unmatched) == 0 {
		return
	}
	b.WriteString("\nNot compared:\n")
	for _, u := range c.Unmatched {
		fmt.Fprintf(b, "  %s/%s: %s\n", text.Printable(u.File), text.Printable(u.Prog), text.Printable(u.Why))
	}
}
