package table

import (
	"cmp"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// Dimension is what a verification's allocations are grouped by.
type Dimension string

// The dimensions.
const (
	ByType  Dimension = "type"  // object type
	ByCache Dimension = "cache" // slab cache
	BySite  Dimension = "site"  // call site
	ByPath  Dimension = "path"  // the allocator's path
)

// Dimensions lists all dimensions.
var Dimensions = []Dimension{ByType, ByCache, BySite, ByPath}

// firstGroupColumn is the column of loadColumns where the cells of a group start;
// its name has the room of all those before.
const firstGroupColumn = 10

func groupsOf(v *record.Verification, by Dimension) []record.Group {
	switch by {
	case ByType:
		return v.Types
	case ByCache:
		return v.Caches
	case BySite:
		return v.Sites
	case ByPath:
		return v.Paths
	default:
		return nil
	}
}

// groupRows returns a row for each group of one dimension, the most allocated
// bytes first, each with its histogram if asked for.
func groupRows(v *record.Verification, by Dimension, histograms bool) string {
	groups := slices.SortedStableFunc(slices.Values(groupsOf(v, by)), func(a, b record.Group) int {
		return cmp.Or(cmp.Compare(b.BytesAllocated, a.BytesAllocated), cmp.Compare(a.Name, b.Name))
	})
	var b strings.Builder
	for i := range groups {
		g := &groups[i]
		cells := make([]string, firstGroupColumn, len(loadColumns))
		cells[0] = "  " + string(by) + " " + text.Printable(g.Name)
		cells = append(cells, allocationCells(g.Allocs, g.BytesRequested, g.BytesAllocated, g.PeakLiveBytes)...)
		cells = append(cells, latencyCells(&g.Latency, g.Allocs, v.DurationNS)...)
		b.WriteString(loadColumns.Line(cells...))
		if histograms && g.Latency.Count > 0 {
			b.WriteString(histogramText(&g.Latency, "    "))
		}
	}
	return b.String()
}
