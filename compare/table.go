package compare

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// WriteTable writes a comparison for people at a terminal: what was compared, a table for
// each metric, ceilings, slack, and the warnings as footnotes.
func WriteTable(w io.Writer, c *Comparison) error {
	var b strings.Builder
	notes := c.footnotes()
	writeSources(&b, c)
	for _, metric := range c.metrics() {
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

// metrics returns the metrics that any row has, in order.
func (c *Comparison) metrics() []*metric {
	var out []*metric
	for i := range metrics {
		for j := range c.Rows {
			if c.Rows[j].result(metrics[i].name) != nil {
				out = append(out, &metrics[i])
				break
			}
		}
	}
	return out
}

// title returns a metric's name and what it is of.
func (m *metric) title() string {
	what := "bare loads"
	if m.mode == record.ModeTraced {
		what = "traced loads"
	}
	if m.moreBetter {
		return m.name + ", " + what + ", more is better"
	}
	return m.name + ", " + what
}

// describe returns a source in one line.
func (s *Source) describe() string {
	text := printable(s.Name) + ": "
	if s.Format == FormatVeristat {
		return text + "veristat CSV, " + formatCount(s.Programs, "program")
	}
	return text + fmt.Sprintf("Linux %s %s, %s, %s", printable(s.Kernel), printable(s.Build),
		formatCount(s.Programs, "program"), formatCount(s.Samples, "sample"))
}

func formatCount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// floorSource says what the noise floor comes from.
func (c *Comparison) floorSource() string {
	switch {
	case c.Noise != nil:
		return "against " + c.Noise.describe()
	case c.Base.Format == FormatVeristat:
		return "not known: a CSV has one sample of each program"
	default:
		return "the first half of BASE's samples against the second"
	}
}

func writeSources(b *strings.Builder, c *Comparison) {
	fmt.Fprintf(b, "BASE   %s\nNEW    %s\nnoise  %s\n", c.Base.describe(), c.New.describe(), c.floorSource())
	for i, d := range c.Differences {
		head := "differ"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(b, "%-6s %s: %s -> %s\n", head, printable(d.What), printable(d.Base), printable(d.New))
	}
	b.WriteString("change is the median of all differences between samples, not the difference of the medians\n")
}

func writeMetric(b *strings.Builder, c *Comparison, m *metric, notes *footnotes) {
	g := newGrid("<"+m.title(), "n", "BASE", "n", "NEW", "change", "interval", "p (Holm)", "floor", "detectable", "<verdict", "<")
	for i := range c.Rows {
		row := &c.Rows[i]
		r := row.result(m.name)
		if r == nil || r.unremarkable() {
			continue
		}
		g.add(
			row.name(),
			strconv.Itoa(r.Base.Samples), formatMedian(&r.Base, r.Unit),
			strconv.Itoa(r.New.Samples), formatMedian(&r.New, r.Unit),
			formatChange(r.Change.estimate()), formatInterval(r.Change.LoPercent, r.Change.HiPercent),
			formatOptional(r.PHolm, formatP), formatOptional(r.FloorPercent, formatPercent),
			formatOptional(r.MinDetectablePercent, formatPercent),
			string(r.Verdict), r.notes(notes.rowMarks(row, m.name)),
		)
	}
	for i := range c.GeometricMeans {
		if mean := &c.GeometricMeans[i]; mean.Metric == m.name && !mean.unremarkable() {
			g.add(c.meanTitle(mean), "", "", "", "", formatChange(mean.Percent),
				formatInterval(mean.LoPercent, mean.HiPercent), none, formatOptional(mean.FloorPercent, formatPercent), none,
				string(mean.Verdict), "")
		}
	}
	text := c.unremarkable(m)
	if len(g.cells) == 1 && text != "" {
		fmt.Fprintf(b, "%s\n%s\n", m.title(), text)
		return
	}
	if text != "" {
		g.add(text)
	}
	g.writeTo(b, "")
	writeTails(b, c, m)
}

// meanTitle says of how many programs a geometric mean is, and of how many it might be.
func (c *Comparison) meanTitle(mean *GeometricMean) string {
	all := 0
	for i := range c.Rows {
		if c.Rows[i].result(mean.Metric) != nil {
			all++
		}
	}
	if mean.Rows == all {
		return fmt.Sprintf("geometric mean of %d", all)
	}
	return fmt.Sprintf("geometric mean of %d of %d", mean.Rows, all)
}

// unremarkable reports whether a result needs no line: a number that does not vary, and
// is the same on both sides.
func (r *Result) unremarkable() bool {
	return r.Deterministic && r.Verdict == Same
}

// unremarkable says how many programs have no line of a metric, empty if all have.
func (c *Comparison) unremarkable(m *metric) string {
	count := 0
	for i := range c.Rows {
		if r := c.Rows[i].result(m.name); r != nil && r.unremarkable() {
			count++
		}
	}
	if count == 0 {
		return ""
	}
	return "the same on both sides: " + formatCount(count, "program")
}

// name returns the row's file and program, and what NEW calls it if that is not the same.
func (r *Row) name() string {
	name := printable(r.File) + "/" + printable(r.Prog)
	if r.NewFile != "" {
		name += " -> " + printable(r.NewFile) + "/" + printable(r.NewProg)
	}
	return name
}

// formatMedian returns a median and how far its interval goes, in percent.
func formatMedian(s *Side, unit Unit) string {
	text := formatValue(s.Median, unit)
	if s.Lo == nil || s.Hi == nil || s.Median == 0 || *s.Lo == *s.Hi {
		return text
	}
	return text + " ±" + strconv.FormatFloat(100*max(s.Median-*s.Lo, *s.Hi-s.Median)/s.Median, 'f', 1, 64) + "%"
}

// notes returns what else is to be said of a result.
func (r *Result) notes(marks string) string {
	var words []string
	if r.Verdict == Inconclusive {
		words = append(words, r.reasonText())
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

func writeTails(b *strings.Builder, c *Comparison, m *metric) {
	g := newGrid("<  tail", "", "BASE", "NEW", "change", "interval")
	for i := range c.Rows {
		if r := c.Rows[i].result(m.name); r != nil {
			for _, t := range r.Tails {
				g.add("  "+c.Rows[i].name(), "p"+strconv.FormatFloat(100*t.Quantile, 'f', -1, 64),
					formatValue(t.Base, r.Unit), formatValue(t.New, r.Unit),
					formatChange(t.Percent), formatInterval(&t.LoPercent, &t.HiPercent))
			}
		}
	}
	if len(g.cells) > 1 {
		g.writeTo(b, "")
	}
}

// shownTypes is how many types of a program's ceiling are shown; JSON has all.
const shownTypes = 6

func writeCeilings(b *strings.Builder, c *Comparison) {
	if why := c.noCeiling(); why != "" {
		b.WriteString("\nCeiling of BASE: none, " + printable(why) + "\n")
		return
	}
	g := newGrid("<program", "<object type", "allocations", "of all", "timed", "of the time, at most", "less probes", "<")
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Ceiling == nil {
			continue
		}
		for j, t := range append([]CeilingType{row.Ceiling.Total}, row.Ceiling.Types[:min(shownTypes, len(row.Ceiling.Types))]...) {
			name, note := "", ""
			if j == 0 {
				name = row.name()
				if row.Ceiling.Refused != "" {
					note = "refused: " + row.Ceiling.Refused
				}
			}
			g.add(name, printable(t.Type), formatValue(t.Allocs, Count), formatPercent(t.AllocsPercent), formatCoverage(t.TimedPercent),
				row.Ceiling.claim(t.AtMostPercent), row.Ceiling.claim(t.LessProbesPercent), note)
		}
	}
	if len(g.cells) == 1 {
		return
	}
	b.WriteString("\nCeiling of BASE: what a verification could save of its time at most if allocations\nof a type took none. Frees are not timed and not in it.\n" +
		"Probes' floor, in each latency: " + c.probeFloor() + ".\n")
	g.writeTo(b, "")
}

// probeFloor returns the probes' floor in words: one recording has one.
func (c *Comparison) probeFloor() string {
	for i := range c.Rows {
		if ceiling := c.Rows[i].Ceiling; ceiling != nil && ceiling.ProbeFloorNS != nil {
			return formatValue(*ceiling.ProbeFloorNS, Nanoseconds)
		}
	}
	return "not known"
}

// claim formats a share of the time, unless the times are not to be believed.
func (c *Ceiling) claim(percent *float64) string {
	if percent != nil && c.Refused != "" {
		return "refused"
	}
	return formatOptional(percent, formatPercent)
}

func writeSlack(b *strings.Builder, c *Comparison) {
	if len(c.Slack) == 0 {
		return
	}
	b.WriteString("\nSlack of BASE: one traced load of each program. A cache of one's own has slots of the\nobject's size, and saves what is recoverable. Accounted is charged to a cgroup.\n")
	g := newGrid("<object type", "<cache", "objects", "requested", "allocated", "unused", "object", "slot", "own slot", "recoverable", "slots a slab", "own slots a slab", "<accounted", "<a cache of its own would be merged with")
	shown, leftOut := c.shownSlack()
	for _, s := range shown {
		g.add(printable(s.Type), printable(s.Cache), formatUint(s.Allocs), formatUint(s.BytesRequested)+"B", formatUint(s.BytesAllocated)+"B",
			formatPercent(100*float64(s.BytesAllocated-min(s.BytesRequested, s.BytesAllocated))/max(float64(s.BytesAllocated), 1)),
			orDash(s.ObjectBytes, "varies", "B"), orDash(s.SlotBytes, none, "B"), orDash(s.DedicatedSlotBytes, none, "B"), recoverable(s),
			orDash(s.PerSlab, none, ""), orDash(s.DedicatedPerSlab, none, ""), accounting(s.Accounted), s.partners())
	}
	if leftOut > 0 {
		g.add(leftOutText(leftOut))
	}
	g.writeTo(b, "")
}

func formatUint(n uint64) string { return strconv.FormatUint(n, 10) }

func orDash(n uint64, zero, suffix string) string {
	if n == 0 {
		return zero
	}
	return formatUint(n) + suffix
}

func recoverable(s *Slack) string {
	if s.DedicatedSlotBytes == 0 {
		return none
	}
	return formatUint(s.RecoverableBytes) + "B"
}

func accounting(b *bool) string {
	switch {
	case b == nil:
		return none
	case *b:
		return "yes"
	default:
		return "no"
	}
}

// partners says what a dedicated cache would be merged with.
func (s *Slack) partners() string {
	switch {
	case s.DedicatedSlotBytes == 0:
		return none
	case s.Merging == nil:
		return "not known"
	case !*s.Merging:
		return "nothing: this kernel does not merge"
	}
	with := func(names []string) string {
		if len(names) == 0 {
			return "no recorded cache"
		}
		return printable(strings.Join(names, ", "))
	}
	if len(s.PartnersAccounted) == 0 && len(s.Partners) == 0 {
		return with(nil)
	}
	return "if accounted: " + with(s.PartnersAccounted) + "; if not: " + with(s.Partners)
}

func writeUnmatched(b *strings.Builder, c *Comparison) {
	if len(c.Unmatched) == 0 {
		return
	}
	b.WriteString("\nNot compared:\n")
	for _, u := range c.Unmatched {
		fmt.Fprintf(b, "  %s/%s: %s\n", printable(u.File), printable(u.Prog), printable(u.Why))
	}
}
