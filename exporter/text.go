package exporter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verialloc/verialloc/tracer/record"
)

// none stands where there is no value: not known, not measured, not applicable.
const none = "-"

// printable returns s fit for a terminal. Names of tasks, programs and caches
// are bytes that anyone may choose, escape sequences included: whatever does not
// print is shown as a Go escape.
func printable(s string) string {
	if s == "" {
		return none
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// formatTime returns the time of day of a wall clock's time, in local time.
func formatTime(unixNS int64, layout string) string {
	return time.Unix(0, unixNS).Format(layout)
}

// formatDuration returns nanoseconds in the unit that leaves up to three digits
// ahead of the point, seconds at most.
func formatDuration(ns uint64) string {
	return scale(ns, 1000, "ns", "us", "ms", "s")
}

// formatBytes returns bytes in the binary unit that leaves up to four digits
// ahead of the point.
func formatBytes(n uint64) string {
	return scale(n, 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
}

// scale divides v by base until it fits a unit or there is none left. The least
// unit is exact; the others have one decimal below 100.
func scale(v, base uint64, units ...string) string {
	f, i := float64(v), 0
	for math.Round(f) >= float64(base) && i < len(units)-1 {
		f /= float64(base)
		i++
	}
	decimals := 0
	if i > 0 && f < 99.95 {
		decimals = 1
	}
	return strconv.FormatFloat(f, 'f', decimals, 64) + units[i]
}

// formatShare returns part of whole in per cent, none where there is no whole.
func formatShare(part, whole uint64) string {
	if whole == 0 {
		return none
	}
	return formatPercent(float64(part) / float64(whole))
}

func formatPercent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + "%"
}

// formatCoverage returns a share rounded down, so that less than all is never
// 100 %.
func formatCoverage(share float64) string {
	const grain = 1000 // one decimal of a per cent
	if share < 1 {
		// 0.998 may be a little less as a float.
		share = min(math.Floor(share*grain+1e-9), grain-1) / grain
	}
	return formatPercent(share)
}

// formatWaste returns the share of the allocated bytes that nobody asked for.
func formatWaste(requested, allocated uint64) string {
	return formatShare(allocated-min(requested, allocated), allocated)
}

// formatCount returns a count in full with its noun, which takes an s where it
// is not one.
func formatCount(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(n, 10) + " " + noun + "s"
}

// formatLosses returns each reason with its count.
func formatLosses(losses []record.Loss) string {
	texts := make([]string, len(losses))
	for i, l := range losses {
		texts[i] = fmt.Sprintf("%s %d", printable(l.Reason), l.Count)
	}
	return strings.Join(texts, ", ")
}

// column is one of a layout.
type column struct {
	title string
	width int
	left  bool // aligned; numbers are not
}

// layout lays cells out in columns of fixed width, because rows are shown as
// they come and no later one can widen those before it.
type layout []column

// gap is the number of spaces between columns.
const gap = 2

// header returns the line of titles.
func (l layout) header() string {
	cells := make([]string, len(l))
	for i, c := range l {
		cells[i] = c.title
	}
	return l.line(cells...)
}

// line returns one line, a cell for each column from the left. A cell wider than
// its column takes the room of what follows, so that those after align again.
func (l layout) line(cells ...string) string {
	var b strings.Builder
	written, end := 0, 0
	for i, cell := range cells {
		width := utf8.RuneCountInString(cell)
		start := end
		end = start + l[i].width + gap
		if width == 0 {
			continue
		}
		if !l[i].left {
			start = max(start, end-gap-width)
		}
		if written > 0 {
			start = max(start, written+1)
		}
		b.WriteString(strings.Repeat(" ", start-written))
		b.WriteString(cell)
		written = start + width
	}
	b.WriteByte('\n')
	return b.String()
}
