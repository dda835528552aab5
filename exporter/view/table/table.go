package table

import (
	"cmp"
	"io"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/internal/errno"
	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// Options says what a table shows beside a line for each load.
type Options struct {
	By        []*record.Dimension // rows below each line
	Histogram bool                // of each line's latencies, and of each type's with record.ByType
	Events    bool                // events are expected: show their titles too
}

// Table writes a line for each program load.
type Table struct {
	w       io.Writer
	options Options
}

// New returns a table on w. Nothing is buffered.
func New(w io.Writer, options Options) *Table {
	return &Table{w, options}
}

// timeOfDay is how a time is shown.
const timeOfDay = "15:04:05.000"

// The columns of a load. The rows of its groups use those from allocs on, which
// is why they need no titles of their own.
var loadColumns = text.Layout{
	text.Left("TIME", 12),
	text.Right("PID", 7),
	text.Left("COMMAND", 15),
	text.Left("PROGRAM", 15),
	text.Left("TYPE", 14),
	text.Left("VERDICT", 15),
	text.Right("VERIFY", 6),
	text.Right("INSNS", 7),
	text.Right("STATES", 6),
	text.Right("PEAK", 6),
	text.Right("ALLOCS", 7),
	text.Right("REQUESTED", 9),
	text.Right("ALLOCATED", 9),
	text.Right("WASTE", 5),
	text.Right("PEAK LIVE", 9),
	text.Right("IN ALLOC", 8),
	text.Right("SHARE", 6),
	text.Right("P50", 6),
	text.Right("P99", 6),
	text.Right("MAX", 6),
	text.Left("EXACT", 5),
}

// Begin writes the titles.
func (t *Table) Begin(*record.Environment) error {
	titles := loadColumns.Header()
	if t.options.Events {
		titles = eventColumns.Header() + titles
	}
	return t.write(titles)
}

// Verification writes a load's line and what the options ask for below it.
func (t *Table) Verification(v *record.Verification) error {
	line := loadColumns.Line(loadCells(v)...) + wholeNameText(v) + askedText(v) + loaderText(v) + failedText(v) + droppedText(v)
	if v.Reason != "" {
		line += "  verifier: " + text.Escape(v.Reason) + "\n"
	}
	if share, ok := v.OnCPU(); ok && share < record.MostlyOnCPU {
		line += "  on a CPU " + text.Share(v.CPUTimeNS, v.DurationNS) + " of the time: " + text.Duration(v.CPUTimeNS) + " of " + text.Duration(v.DurationNS) + "\n"
	}
	if t.options.Histogram && v.ReachedVerifier {
		line += histogramText(&v.Latency, "  ")
		if v.Visits != nil {
			line += visitsText(v.Visits, "  ")
		}
	}
	for _, by := range t.options.By {
		line += groupRows(v, by, t.options.Histogram && by == record.ByType)
	}
	return t.write(line)
}

// Event writes an event's line.
func (t *Table) Event(e *record.Event) error {
	return t.write(eventColumns.Line(eventCells(e)...))
}

// Loss writes nothing: a table holds loads, and each names its own losses.
func (t *Table) Loss(*record.LossReport) error { return nil }

// End writes nothing; see [WriteSummary].
func (t *Table) End(*record.Summary) error { return nil }

func (t *Table) write(lines string) error {
	_, err := io.WriteString(t.w, lines)
	return err
}

func loadCells(v *record.Verification) []string {
	cells := []string{
		text.Time(v.TimeUnixNS, timeOfDay),
		strconv.FormatUint(uint64(v.PID), 10),
		text.Printable(v.Comm),
		text.Printable(v.ProgName),
		text.Printable(v.ProgType),
		verdictText(v),
	}
	if !v.ReachedVerifier {
		for len(cells) < len(loadColumns)-1 {
			cells = append(cells, text.None)
		}
		return append(cells, exactText(v))
	}
	duration := text.None // its end was not seen
	if v.DurationNS > 0 {
		duration = text.Duration(v.DurationNS)
	}
	cells = append(cells, duration)
	for _, n := range []uint64{v.InsnsProcessed, v.TotalStates, v.PeakStates} {
		if v.ResultRead() {
			cells = append(cells, strconv.FormatUint(n, 10))
		} else {
			cells = append(cells, text.None)
		}
	}
	cells = append(cells, allocationCells(v, v.Allocs, v.BytesRequested, v.BytesAllocated, v.PeakLiveBytes)...)
	cells = append(cells, latencyCells(&v.Latency, v.Allocs, v.DurationNS)...)
	return append(cells, exactText(v))
}

// allocationCells are the cells from ALLOCS to PEAK LIVE. Where events of the load may be
// missing, they are at least what is shown, and how much of all was waste is not known.
func allocationCells(v *record.Verification, allocs, requested, allocated, peakLive uint64) []string {
	atLeast, waste := "", text.Waste(requested, allocated)
	if len(v.Lossy) > 0 {
		atLeast, waste = ">", text.None
	}
	return []string{
		atLeast + strconv.FormatUint(allocs, 10),
		atLeast + text.Bytes(requested),
		atLeast + text.Bytes(allocated),
		waste,
		atLeast + text.Bytes(peakLive),
	}
}

// latencyCells are the cells from IN ALLOC to MAX. Where not all allocations
// were measured, the time is at least what is shown, and says so.
func latencyCells(h *record.Histogram, allocs, durationNS uint64) []string {
	if h.Count == 0 {
		return []string{text.None, text.None, text.None, text.None, text.None}
	}
	atLeast := ""
	if h.Count < allocs {
		atLeast = ">"
	}
	return []string{
		atLeast + text.Duration(h.SumNS),
		atLeast + text.Share(h.SumNS, durationNS),
		text.Duration(h.QuantileNS(0.50)),
		text.Duration(h.QuantileNS(0.99)),
		text.Duration(h.MaxNS),
	}
}

// wholeNameText is a line with the name of which the kernel keeps a part.
func wholeNameText(v *record.Verification) string {
	if v.FullName == "" || v.FullName == v.ProgName {
		return ""
	}
	return "  program " + text.Printable(v.FullName) + "\n"
}

// askedText is a line where the loader's bpf_attr names another program than was verified.
func askedText(v *record.Verification) string {
	if v.AskedFor == nil {
		return ""
	}
	asked := []string{text.Printable(v.AskedFor.ProgName), text.Printable(v.AskedFor.ProgType)}
	if v.AskedFor.AttachType != v.AttachType {
		asked = append(asked, "attach type "+cmp.Or(text.Escape(v.AskedFor.AttachTypeName), strconv.FormatUint(uint64(v.AskedFor.AttachType), 10)))
	}
	return "  the loader asked for " + strings.Join(asked, ", ") + ", and changed it meanwhile: the line above has what was verified\n"
}

// loaderText is a line with the container of the loader, where it is in one, and one with its
// command, where that was asked for and seen.
func loaderText(v *record.Verification) string {
	var b strings.Builder
	if v.ContainerID != "" {
		b.WriteString("  in container " + text.Printable(v.ContainerID) + "\n")
	}
	if v.Loader == nil {
		return b.String()
	}
	b.WriteString("  loader")
	if v.Loader.Executable != "" {
		b.WriteString(" " + text.Printable(v.Loader.Executable))
	}
	b.WriteByte(':')
	for _, word := range v.Loader.CommandLine {
		b.WriteString(" " + argument(word))
	}
	if v.Loader.Cut {
		b.WriteString(" ...")
	}
	b.WriteByte('\n')
	return b.String()
}

// argument is a word of a command line, quoted where it would not be seen to be one.
func argument(word string) string {
	if word == "" || strings.ContainsAny(word, " \"'") {
		return `"` + strings.ReplaceAll(text.Escape(word), `"`, `\"`) + `"`
	}
	return text.Printable(word)
}

// failedText is a line with the first allocation that failed, if one did.
func failedText(v *record.Verification) string {
	failed := v.FirstFailedAlloc
	if failed == nil {
		return ""
	}
	line := "  allocation failed: " + text.Printable(failed.Type) + ", " + text.Bytes(failed.Requested)
	if failed.CallSite != "" {
		line += " at " + text.Printable(failed.CallSite)
	}
	if v.FailedAllocs > 1 {
		line += "; " + text.Count(v.FailedAllocs-1, "more allocation") + " failed"
	}
	return line + "\n"
}

// droppedText is a line with the number of events that are not shown, if any.
func droppedText(v *record.Verification) string {
	if v.EventsDropped == 0 {
		return ""
	}
	return "  " + text.Count(v.EventsDropped, "more event") + ": too many to wait for the end of the load\n"
}

// outcomeText names an outcome.
func outcomeText(o record.Outcome) string {
	return text.Printable(strings.ReplaceAll(string(o), "_", " "))
}

func verdictText(v *record.Verification) string {
	verdict := outcomeText(cmp.Or(v.Outcome, record.Outcome(v.Verdict)))
	switch {
	case v.Outcome == record.OutcomeKilled && v.KilledBy == record.KilledBySignal:
		return verdict + " " + cmp.Or(errno.Signal(v.Signal), "signal "+strconv.Itoa(v.Signal))
	case v.Outcome == record.OutcomeKilled:
		return verdict + " by " + text.Printable(string(v.KilledBy))
	case v.Outcome == record.OutcomeOutOfMemory || v.Errno == 0:
		return verdict
	}
	return verdict + " " + cmp.Or(errno.Name(v.Errno), strconv.Itoa(v.Errno))
}

// exactText reports whether a record is exact, and if not why. It is none where
// nothing was verified, so that nothing could be counted.
func exactText(v *record.Verification) string {
	if v.Exact {
		return "yes"
	}
	var reasons []string
	if v.IncompleteReason != "" {
		reasons = append(reasons, text.Printable(v.IncompleteReason))
	}
	if len(v.Lossy) > 0 {
		reasons = append(reasons, text.Losses(v.Lossy))
	}
	switch {
	case len(reasons) > 0:
		return "no: " + strings.Join(reasons, ": ")
	case !v.ReachedVerifier:
		return text.None
	default:
		return "no"
	}
}
