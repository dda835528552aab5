package exporter

import (
	"io"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// TableOptions says what a table shows beside a line for each load.
type TableOptions struct {
	By        []Dimension // rows below each line
	Histogram bool        // of each line's latencies, and of each type's with ByType
	Events    bool        // events are expected: show their titles too
}

// Table writes a line for each program load.
type Table struct {
	w       io.Writer
	options TableOptions
}

// NewTable returns a table on w. Nothing is buffered.
func NewTable(w io.Writer, options TableOptions) *Table {
	return &Table{w, options}
}

// The columns of a load. The rows of its groups use those from allocs on, which
// is why they need no titles of their own.
var loadColumns = layout{
	{"TIME", 12, true},
	{"PID", 7, false},
	{"COMMAND", 15, true},
	{"PROGRAM", 15, true},
	{"TYPE", 14, true},
	{"VERDICT", 15, true},
	{"VERIFY", 6, false},
	{"INSNS", 7, false},
	{"STATES", 6, false},
	{"PEAK", 6, false},
	{"ALLOCS", 7, false},
	{"REQUESTED", 9, false},
	{"ALLOCATED", 9, false},
	{"WASTE", 5, false},
	{"PEAK LIVE", 9, false},
	{"IN ALLOC", 8, false},
	{"SHARE", 6, false},
	{"P50", 6, false},
	{"P99", 6, false},
	{"MAX", 6, false},
	{"EXACT", 5, true},
}

// Begin writes the titles.
func (t *Table) Begin(*record.Environment) error {
	titles := loadColumns.header()
	if t.options.Events {
		titles = eventColumns.header() + titles
	}
	return t.write(titles)
}

// Verification writes a load's line and what the options ask for below it.
func (t *Table) Verification(v *record.Verification) error {
	text := loadColumns.line(loadCells(v)...)
	if t.options.Histogram && v.ReachedVerifier {
		text += histogramText(&v.Latency, "  ")
		if v.Visits != nil {
			text += visitsText(v.Visits, "  ")
		}
	}
	for _, by := range t.options.By {
		text += groupRows(v, by, t.options.Histogram && by == ByType)
	}
	return t.write(text)
}

// Event writes an event's line.
func (t *Table) Event(e *record.Event) error {
	return t.write(eventColumns.line(eventCells(e)...))
}

// Loss writes nothing: a table holds loads, and each names its own losses.
func (t *Table) Loss(*record.LossReport) error { return nil }

// End writes nothing; see [WriteSummary].
func (t *Table) End(*record.Summary) error { return nil }

func (t *Table) write(text string) error {
	_, err := io.WriteString(t.w, text)
	return err
}

func loadCells(v *record.Verification) []string {
	cells := []string{
		formatTime(v.TimeUnixNS, "15:04:05.000"),
		strconv.FormatUint(uint64(v.PID), 10),
		printable(v.Comm),
		printable(v.ProgName),
		printable(v.ProgType),
		verdictText(v),
	}
	if !v.ReachedVerifier {
		for len(cells) < len(loadColumns)-1 {
			cells = append(cells, none)
		}
		return append(cells, exactText(v))
	}
	duration := none // its end was not seen
	if v.DurationNS > 0 {
		duration = formatDuration(v.DurationNS)
	}
	cells = append(cells, duration)
	for _, n := range []uint32{v.InsnsProcessed, v.TotalStates, v.PeakStates} {
		if v.ResultRead() {
			cells = append(cells, strconv.FormatUint(uint64(n), 10))
		} else {
			cells = append(cells, none)
		}
	}
	cells = append(cells, allocationCells(v.Allocs, v.BytesRequested, v.BytesAllocated, v.PeakLiveBytes)...)
	cells = append(cells, latencyCells(&v.Latency, v.Allocs, v.DurationNS)...)
	return append(cells, exactText(v))
}

// allocationCells are the cells from ALLOCS to PEAK LIVE.
func allocationCells(allocs, requested, allocated, peakLive uint64) []string {
	return []string{
		strconv.FormatUint(allocs, 10),
		formatBytes(requested),
		formatBytes(allocated),
		formatWaste(requested, allocated),
		formatBytes(peakLive),
	}
}

// latencyCells are the cells from IN ALLOC to MAX. Where not all allocations
// were measured, the time is at least what is shown, and says so.
func latencyCells(h *record.Histogram, allocs, durationNS uint64) []string {
	if h.Count == 0 {
		return []string{none, none, none, none, none}
	}
	atLeast := ""
	if h.Count < allocs {
		atLeast = ">"
	}
	return []string{
		atLeast + formatDuration(h.SumNS),
		atLeast + formatShare(h.SumNS, durationNS),
		formatDuration(h.QuantileNS(0.50)),
		formatDuration(h.QuantileNS(0.99)),
		formatDuration(h.MaxNS),
	}
}

// errNotSupp is an error number of the kernel's own that it does let out.
const errNotSupp = 524

func verdictText(v *record.Verification) string {
	verdict := printable(string(v.Verdict))
	if v.Errno == 0 {
		return verdict
	}
	name := unix.ErrnoName(unix.Errno(v.Errno))
	switch {
	case v.Errno == errNotSupp:
		name = "ENOTSUPP"
	case name == "":
		name = strconv.Itoa(v.Errno)
	}
	return verdict + " " + name
}

// exactText says whether a record is exact, and if not why. It is none where
// nothing was verified, so that nothing could be counted.
func exactText(v *record.Verification) string {
	if v.Exact {
		return "yes"
	}
	var reasons []string
	if v.IncompleteReason != "" {
		reasons = append(reasons, printable(v.IncompleteReason))
	}
	if len(v.Lossy) > 0 {
		reasons = append(reasons, formatLosses(v.Lossy))
	}
	switch {
	case len(reasons) > 0:
		return "no: " + strings.Join(reasons, ": ")
	case !v.ReachedVerifier:
		return none
	default:
		return "no"
	}
}
