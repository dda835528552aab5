package table

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// mostEmpty is the number of empty rows that are shown one after the other.
const mostEmpty = 2

// barWidth is the number of characters of the longest bar.
const barWidth = 50

// histogramText returns a title and a bar for each power of two from the least
// to the greatest latency; a line stands for more than mostEmpty empty ones. A
// record's finer buckets nest in the powers of two, so the rows are exact.
func histogramText(h *record.Histogram, indent string) string {
	if h.Count == 0 {
		return indent + "no latency measured\n"
	}
	return indent + fmt.Sprintf("latency of %s, ns\n", text.Count(h.Count, "allocation")) + bars(h, indent)
}

// visitsText is histogramText for the visits of is_state_visited().
func visitsText(v *record.Visits, indent string) string {
	if v.Latency.Count == 0 {
		return ""
	}
	return indent + fmt.Sprintf("latency of %s of is_state_visited, %d pruned, ns\n",
		text.Count(v.Latency.Count, "visit"), v.PruneHits) + bars(&v.Latency, indent)
}

func bars(h *record.Histogram, indent string) string {
	var rows [65]uint64 // row i holds the values of i bits
	first, last, most := len(rows), 0, uint64(0)
	for i, upper := range h.UpperBoundsNS {
		row := bits.Len64(upper)
		rows[row] += h.Counts[i]
		first, last, most = min(first, row), max(last, row), max(most, rows[row])
	}
	var b strings.Builder
	for row := first; row <= last; row++ {
		next := row
		for rows[next] == 0 && next < last {
			next++
		}
		if next-row > mostEmpty {
			fmt.Fprintf(&b, "%s...\n", indent)
			row = next
		}
		// Divided as floats: a product of counts may not fit 64 bits.
		length := int(float64(rows[row]) / float64(max(most, 1)) * barWidth)
		if rows[row] > 0 {
			length = max(length, 1) // rare is not never
		}
		fmt.Fprintf(&b, "%s%-14s %10d |%-*s|\n", indent, rangeText(row), rows[row], barWidth, strings.Repeat("@", length))
	}
	return b.String()
}

// rangeText names the values of i bits, such as [1K, 2K).
func rangeText(i int) string {
	if i <= 1 {
		return "[" + strconv.Itoa(i) + "]"
	}
	return "[" + powerOfTwo(i-1) + ", " + powerOfTwo(i) + ")"
}

// powerOfTwo returns 1<<i with a binary prefix. 1<<64 is the greatest.
func powerOfTwo(i int) string {
	return strconv.Itoa(1<<(i%10)) + []string{"", "K", "M", "G", "T", "P", "E"}[i/10]
}
