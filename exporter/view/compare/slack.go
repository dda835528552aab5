package comparison

import (
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/exporter/view/text"
)

// leastShare is the part of all allocated bytes with which a row is shown that has
// nothing to say of a cache of its own.
const leastShare = 0.01

// shownSlack returns the rows that people are shown, and how many are left out: those of
// which no slot is known to be too large, and that hold few bytes.
func shownSlack(c *compare.Comparison) (shown []*compare.Slack, leftOut int) {
	all := 0.0
	for i := range c.Slack {
		all += float64(c.Slack[i].BytesAllocated)
	}
	for i := range c.Slack {
		if s := &c.Slack[i]; s.ObjectBytes > 0 || float64(s.BytesAllocated) >= leastShare*all {
			shown = append(shown, s)
		}
	}
	return shown, len(c.Slack) - len(shown)
}

// leftOutText says what is not shown.
func leftOutText(rows int) string {
	return "not shown: " + text.Count(rows, "row") + " of varying size, each with less than 1% of the bytes"
}

func writeSlack(b *strings.Builder, c *compare.Comparison) {
	if len(c.Slack) == 0 {
		return
	}
	b.WriteString("\nSlack of BASE: one traced load of each program. A cache of one's own has slots of the\nobject's size, and saves what is recoverable. Accounted is charged to a cgroup.\n")
	g := text.NewGrid(
		text.Left("object type", 0), text.Left("cache", 0), text.Right("objects", 0),
		text.Right("requested", 0), text.Right("allocated", 0), text.Right("unused", 0),
		text.Right("object", 0), text.Right("slot", 0), text.Right("own slot", 0),
		text.Right("recoverable", 0), text.Right("slots a slab", 0), text.Right("own slots a slab", 0),
		text.Left("accounted", 0), text.Left("a cache of its own would be merged with", 0),
	)
	shown, leftOut := shownSlack(c)
	for _, s := range shown {
		g.Add(text.Printable(s.Type), text.Printable(s.Cache), number(s.Allocs), number(s.BytesRequested)+"B", number(s.BytesAllocated)+"B",
			text.Waste(s.BytesRequested, s.BytesAllocated),
			orDash(s.ObjectBytes, "varies", "B"), orDash(s.SlotBytes, text.None, "B"), orDash(s.DedicatedSlotBytes, text.None, "B"), recoverable(s),
			orDash(s.PerSlab, text.None, ""), orDash(s.DedicatedPerSlab, text.None, ""), accounting(s.Accounted), partners(s))
	}
	if leftOut > 0 {
		g.Add(leftOutText(leftOut))
	}
	b.WriteString(g.String())
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func orDash(n uint64, zero, suffix string) string {
	if n == 0 {
		return zero
	}
	return number(n) + suffix
}

func recoverable(s *compare.Slack) string {
	if s.DedicatedSlotBytes == 0 {
		return text.None
	}
	return number(s.RecoverableBytes) + "B"
}

func accounting(b *bool) string {
	switch {
	case b == nil:
		return text.None
	case *b:
		return "yes"
	default:
		return "no"
	}
}

// partners says what a dedicated cache would be merged with.
func partners(s *compare.Slack) string {
	switch {
	case s.DedicatedSlotBytes == 0:
		return text.None
	case s.Merging == nil:
		return "not known"
	case !*s.Merging:
		return "nothing: this kernel does not merge"
	}
	with := func(names []string) string {
		if len(names) == 0 {
			return "no recorded cache"
		}
		return text.Printable(strings.Join(names, ", "))
	}
	if len(s.PartnersAccounted) == 0 && len(s.Partners) == 0 {
		return with(nil)
	}
	return "if accounted: " + with(s.PartnersAccounted) + "; if not: " + with(s.Partners)
}
