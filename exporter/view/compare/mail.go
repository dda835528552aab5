package comparison

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// mailWidth is how many columns a mailing list takes without folding lines.
const mailWidth = 72

// WriteMail writes a comparison as plain text of 72 columns at most, for a mailing list:
// method, environment, numbers.
func WriteMail(w io.Writer, c *compare.Comparison) error {
	m := &mail{c: c, notes: footnotesOf(c)}
	m.method()
	m.environment()
	for _, metric := range c.Metrics() {
		m.metric(metric)
	}
	m.ceilings()
	m.slack()
	m.rest()
	_, err := io.WriteString(w, m.b.String())
	return err
}

// mail is a text in the making.
type mail struct {
	c     *compare.Comparison
	notes *footnotes
	b     strings.Builder
}

// line writes a line, folded with a deeper indent where it is too long.
func (m *mail) line(indent int, format string, args ...any) {
	width := mailWidth - indent
	rest := text.Escape(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	for first := true; first || rest != ""; first = false {
		here := width
		if !first {
			here -= 2
			m.b.WriteString("  ")
		}
		var head string
		head, rest = fold(rest, here)
		m.b.WriteString(strings.Repeat(" ", indent) + head + "\n")
	}
}

// fold cuts a text at the last blank within the width, and if there is none at the
// width.
func fold(text string, width int) (head, rest string) {
	if utf8.RuneCountInString(text) <= width {
		return text, ""
	}
	runes := []rune(text)
	at := width
	for i := width; i > width/2; i-- {
		if runes[i] == ' ' {
			at = i
			break
		}
	}
	return strings.TrimRight(string(runes[:at]), " "), strings.TrimLeft(string(runes[at:]), " ")
}

func (m *mail) heading(format string, args ...any) {
	m.b.WriteByte('\n')
	m.line(0, format, args...)
}

func (m *mail) method() {
	m.line(0, "Method")
	m.line(2, "Medians. The change is the median of all differences between a sample of NEW and one of BASE (Hodges-Lehmann), with its %.0f%% interval; p is Mann-Whitney's, two-sided, after Holm's correction over the programs.", 100*m.c.Confidence)
	m.line(2, "The noise floor is how far BASE is from itself at most, by the same interval: %s.", floorSource(m.c))
	m.line(2, "better and worse: p < %g, a change beyond the floor, and halves of NEW no farther apart. same: the interval is within the floor, and that is %.4g%% or less. Else inconclusive. detectable: the least change that is found with power %.1f.",
		m.c.Alpha, m.c.MaxFloorPercent, m.c.Power)
}

func (m *mail) environment() {
	m.heading("Environment")
	m.line(2, "BASE %s", describe(&m.c.Base))
	m.line(2, "NEW  %s", describe(&m.c.New))
	for _, d := range m.c.Differences {
		m.line(2, "%s: %s -> %s", text.Printable(d.What), text.Printable(d.Base), text.Printable(d.New))
	}
	for _, u := range m.c.Unknown {
		m.line(2, "%s", unknownText(&u))
	}
	if len(m.c.Differences) == 0 && m.c.Base.Format == compare.FormatRecording && m.c.New.Format == compare.FormatRecording {
		m.line(2, "nothing recorded differs")
	}
}

func (m *mail) metric(metric compare.Metric) {
	m.heading("%s", title(metric))
	for i := range m.c.Rows {
		row := &m.c.Rows[i]
		r := row.Result(metric.Name)
		if r == nil || r.Unremarkable() {
			continue
		}
		m.line(2, "%s %s", rowName(row), m.notes.rowMarks(row, metric.Name))
		m.line(4, "%s (n=%d) -> %s (n=%d)  %s", median(&r.Base, r.Unit), r.Base.Samples,
			median(&r.New, r.Unit), r.New.Samples, text.Change(r.Change.Estimate()))
		if !r.Deterministic && r.Change.LoPercent != nil {
			m.line(4, "interval %s  p %s  floor %s  detectable %s",
				interval(r.Change.LoPercent, r.Change.HiPercent), optional(r.PHolm, pValue),
				optional(r.FloorPercent, text.Percent), optional(r.MinDetectablePercent, text.Percent))
		}
		for _, t := range r.Tails {
			m.line(4, "p%g %s -> %s  %s  interval %s", 100*t.Quantile, value(t.Base, r.Unit), value(t.New, r.Unit),
				text.Change(t.Percent), interval(&t.LoPercent, &t.HiPercent))
		}
		if notes := resultNotes(r, ""); notes != "" {
			m.line(4, "%s: %s", r.Verdict, notes)
		} else {
			m.line(4, "%s", r.Verdict)
		}
	}
	for i := range m.c.GeometricMeans {
		if mean := &m.c.GeometricMeans[i]; mean.Metric == metric.Name && !mean.Unremarkable() {
			m.line(2, "%s", meanTitle(m.c, mean))
			m.line(4, "%s  interval %s  floor %s", text.Change(mean.Percent), interval(mean.LoPercent, mean.HiPercent),
				optional(mean.FloorPercent, text.Percent))
			m.line(4, "%s", mean.Verdict)
		}
	}
	if same := unremarkable(m.c, metric); same != "" {
		m.line(2, "%s", same)
	}
}

func (m *mail) ceilings() {
	if why := m.c.NoCeiling(); why != "" {
		m.heading("Ceiling of BASE: none, %s", text.Printable(why))
		return
	}
	headed := false
	for i := range m.c.Rows {
		row := &m.c.Rows[i]
		if row.Ceiling == nil {
			continue
		}
		if !headed {
			m.heading("Ceiling: share of BASE's verification time in allocations, at most (less the probes' floor of %s an allocation); frees are not timed", probeFloor(m.c))
			headed = true
		}
		m.line(2, "%s", rowName(row))
		if row.Ceiling.Refused != "" {
			m.line(4, "refused: %s", row.Ceiling.Refused)
			continue
		}
		for _, t := range append([]compare.CeilingType{row.Ceiling.Total}, row.Ceiling.Types[:min(shownTypes, len(row.Ceiling.Types))]...) {
			m.line(4, "%s: %s (%s), allocations %s (%s of all), timed %s", text.Printable(t.Type),
				optional(t.AtMostPercent, text.Percent), optional(t.LessProbesPercent, text.Percent),
				value(t.Allocs, compare.Count), text.Percent(t.AllocsPercent), text.Coverage(t.TimedPercent))
		}
	}
}

func (m *mail) slack() {
	if len(m.c.Slack) == 0 {
		return
	}
	m.heading("Slack of BASE: one traced load of each program")
	shown, leftOut := shownSlack(m.c)
	for _, s := range shown {
		m.line(2, "%s in %s: %d objects, %dB requested, %dB allocated", text.Printable(s.Type), text.Printable(s.Cache), s.Allocs, s.BytesRequested, s.BytesAllocated)
		if s.ObjectBytes == 0 {
			m.line(4, "sizes vary: no cache of one size serves it")
			continue
		}
		if s.DedicatedSlotBytes == 0 {
			m.line(4, "object %dB; no slab cache that is recorded", s.ObjectBytes)
			continue
		}
		m.line(4, "object %dB, slot %dB (%d a slab), accounted: %s", s.ObjectBytes, s.SlotBytes, s.PerSlab, accounting(s.Accounted))
		m.line(4, "in a cache of its own: slot %dB (%s a slab), recoverable %dB; it would be merged with: %s",
			s.DedicatedSlotBytes, orDash(s.DedicatedPerSlab, text.None, ""), s.RecoverableBytes, partners(s))
	}
	if leftOut > 0 {
		m.line(2, "%s", leftOutText(leftOut))
	}
}

func (m *mail) rest() {
	if len(m.c.Unmatched) > 0 {
		m.heading("Not compared")
		for _, u := range m.c.Unmatched {
			m.line(2, "%s/%s: %s", text.Printable(u.File), text.Printable(u.Prog), text.Printable(u.Why))
		}
	}
	if len(m.notes.texts) > 0 {
		m.heading("Notes")
	}
	for _, line := range m.notes.lines() {
		m.line(2, "%s", line)
	}
}
