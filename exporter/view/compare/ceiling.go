package comparison

import (
	"strings"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// shownTypes is how many types of a program's ceiling are shown; JSON has all.
const shownTypes = 6

func writeCeilings(b *strings.Builder, c *compare.Comparison) {
	if why := c.NoCeiling(); why != "" {
		b.WriteString("\nCeiling of BASE: none, " + text.Printable(why) + "\n")
		return
	}
	g := text.NewGrid(
		text.Left("program", 0), text.Left("object type", 0), text.Right("allocations", 0),
		text.Right("of all", 0), text.Right("timed", 0), text.Right("of the time, at most", 0),
		text.Right("less probes", 0), text.Left("", 0),
	)
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Ceiling == nil {
			continue
		}
		for j, t := range append([]compare.CeilingType{row.Ceiling.Total}, row.Ceiling.Types[:min(shownTypes, len(row.Ceiling.Types))]...) {
			name, note := "", ""
			if j == 0 {
				name = rowName(row)
				if row.Ceiling.Refused != "" {
					note = "refused: " + row.Ceiling.Refused
				}
			}
			g.Add(name, text.Printable(t.Type), value(t.Allocs, compare.Count), text.Percent(t.AllocsPercent), text.Coverage(t.TimedPercent),
				claim(row.Ceiling, t.AtMostPercent), claim(row.Ceiling, t.LessProbesPercent), note)
		}
	}
	if g.Empty() {
		return
	}
	b.WriteString("\nCeiling of BASE: what a verification could save of its time at most if allocations\nof a type took none. Frees are not timed and not in it.\n" +
		"Probes' floor, in each latency: " + probeFloor(c) + ".\n")
	b.WriteString(g.String())
}

// probeFloor returns the probes' floor in words: one recording has one.
func probeFloor(c *compare.Comparison) string {
	for i := range c.Rows {
		if ceiling := c.Rows[i].Ceiling; ceiling != nil && ceiling.ProbeFloorNS != nil {
			return value(*ceiling.ProbeFloorNS, compare.Nanoseconds)
		}
	}
	return "not known"
}

// claim returns a share of the time, unless the times are not to be believed.
func claim(c *compare.Ceiling, percent *float64) string {
	if percent != nil && c.Refused != "" {
		return "refused"
	}
	return optional(percent, text.Percent)
}
