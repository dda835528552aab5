package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// firstGroupColumn is the column of loadColumns where the cells of a group start;
// its name has the room of all those before.
const firstGroupColumn = 10

// groupRows returns a row for each group of one dimension, the most allocated
// bytes first, each with its histogram if asked for.
func groupRows(v *record.Verification, by *record.Dimension, histograms bool) string {
	groups := slices.SortedStableFunc(slices.Values(*by.Groups(v)), func(a, b record.Group) int {
		return cmp.Or(cmp.Compare(b.BytesAllocated, a.BytesAllocated), cmp.Compare(a.Name, b.Name))
	})
	var b strings.Builder
	for i := range groups {
		g := &groups[i]
		cells := make([]string, firstGroupColumn, len(loadColumns))
		cells[0] = "  " + by.Name + " " + text.Printable(g.Name) + merged(g)
		cells = append(cells, allocationCells(v, g.Allocs, g.BytesRequested, g.BytesAllocated, g.PeakLiveBytes)...)
		cells = append(cells, latencyCells(&g.Latency, g.Allocs, v.DurationNS)...)
		b.WriteString(loadColumns.Line(cells...))
		if histograms && g.Latency.Count > 0 {
			b.WriteString(histogramText(&g.Latency, "    "))
		}
	}
	return b.String()
}

// merged says how many other slab caches share the slabs of a group's, and which of them
// the kernel calls it by.
func merged(g *record.Group) string {
	n := uint64(len(g.Aliases))
	switch {
	case n == 0:
		return ""
	case g.KernelName != "":
		return fmt.Sprintf(" (the kernel's %s: %s its slabs)", text.Printable(g.KernelName), sharing(n))
	}
	return " (" + sharing(n) + " its slabs)"
}

func sharing(n uint64) string {
	if n == 1 {
		return "1 other cache shares"
	}
	return text.Count(n, "other cache") + " share"
}
