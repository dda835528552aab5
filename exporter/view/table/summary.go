package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// WriteSummary writes for people what was seen in all, and what was lost.
func WriteSummary(w io.Writer, s *record.Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s", text.Count(s.Verifications, "load"), text.Duration(s.DurationNS))
	outcomes := s.Outcomes
	if len(outcomes) == 0 { // of an earlier version
		outcomes = map[record.Outcome]uint64{}
		for verdict, n := range s.Verdicts {
			outcomes[record.Outcome(verdict)] = n
		}
	}
	separator := ": "
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		fmt.Fprintf(&b, "%s%d %s", separator, outcomes[outcome], outcomeText(outcome))
		separator = ", "
	}
	// What was not verified had nothing to count.
	fmt.Fprintf(&b, "%s%d of %d verified exact\n", separator, s.Exact, s.Verifications-s.Unverified)
	if s.Allocs > 0 {
		states := text.Count(s.TotalStates, "state")
		if s.ResultsUnread > 0 {
			states = ">" + states
		}
		// Of those that are not exact events may be missing.
		more, waste := "", text.Waste(s.BytesRequested, s.BytesAllocated)
		if s.Exact < s.Verifications-s.Unverified {
			more, waste = ">", "not known"
		}
		fmt.Fprintf(&b, "  %s, %s, %s requested, %s allocated (waste %s)\n",
			states, more+text.Count(s.Allocs, "allocation"),
			more+text.Bytes(s.BytesRequested), more+text.Bytes(s.BytesAllocated), waste)
		switch {
		case s.DurationSumNS == 0:
			b.WriteString("  no verification was seen whole, so its time is not known\n")
		case s.LatencyCoverage > 0:
			atLeast := ""
			if s.LatencyCoverage < 1 {
				atLeast = ">"
			}
			fmt.Fprintf(&b, "  %s in the allocator, %s of %s verifying; latency measured for %s of the allocations\n",
				atLeast+text.Duration(s.AllocTimeNS), atLeast+text.Share(s.AllocTimeNS, s.DurationSumNS),
				text.Duration(s.DurationSumNS), text.Coverage(100*s.LatencyCoverage))
		default:
			fmt.Fprintf(&b, "  %s verifying; no latency measured\n", text.Duration(s.DurationSumNS))
		}
	}
	if s.Simultaneous != nil {
		b.WriteString(simultaneousText(s.Simultaneous))
	}
	if len(s.Losses) > 0 {
		fmt.Fprintf(&b, "  lost: %s\n", text.Losses(s.Losses))
	}
	if s.StandInsAbsent != "" {
		fmt.Fprintf(&b, "  blind slices: stand-ins could not be attached: %s\n", text.Escape(s.StandInsAbsent))
	}
	writeUnseen(&b, s.UnseenLoads)
	if len(s.Losses) == 0 && len(s.UnseenLoads) == 0 {
		b.WriteString("  nothing lost\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// simultaneousText says how much was live at once, of how many loads, and when.
func simultaneousText(s *record.Simultaneous) string {
	more, why := "", ""
	switch {
	case s.LeftOut > 0:
		more, why = ">", fmt.Sprintf("; %s not counted", text.Count(s.LeftOut, "more load"))
	case !s.Exact:
		more, why = ">", "; there may have been more loads"
	}
	return fmt.Sprintf("  highest live at once: %s, held by %s at %s%s\n", more+text.Bytes(s.PeakLiveBytes),
		text.Count(s.Loads, "load"), text.Time(s.TimeUnixNS, timeOfDay), why)
}

// LossText reports losses to people in one line, for a log.
func LossText(r *record.LossReport) string {
	line := "lost: " + text.Losses(r.Losses)
	if r.Advice != "" {
		line += ": " + text.Printable(r.Advice)
	}
	return line
}
