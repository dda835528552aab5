package exporter

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// WriteSummary tells people what was seen in all, and what was lost.
func WriteSummary(w io.Writer, s *record.Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s", formatCount(s.Verifications, "load"), formatDuration(s.DurationNS))
	separator := ": "
	for _, verdict := range slices.Sorted(maps.Keys(s.Verdicts)) {
		fmt.Fprintf(&b, "%s%d %s", separator, s.Verdicts[verdict], printable(string(verdict)))
		separator = ", "
	}
	// What was not verified had nothing to count.
	fmt.Fprintf(&b, "%s%d of %d verified exact\n", separator, s.Exact, s.Verifications-s.Unverified)
	if s.Allocs > 0 {
		states := formatCount(s.TotalStates, "state")
		if s.ResultsUnread > 0 {
			states = ">" + states
		}
		fmt.Fprintf(&b, "  %s, %s, %s requested, %s allocated (waste %s)\n",
			states, formatCount(s.Allocs, "allocation"),
			formatBytes(s.BytesRequested), formatBytes(s.BytesAllocated), formatWaste(s.BytesRequested, s.BytesAllocated))
		switch {
		case s.DurationSumNS == 0:
			b.WriteString("  no verification was seen whole, so its time is not known\n")
		case s.LatencyCoverage > 0:
			atLeast := ""
			if s.LatencyCoverage < 1 {
				atLeast = ">"
			}
			fmt.Fprintf(&b, "  %s in the allocator, %s of %s verifying; latency measured for %s of the allocations\n",
				atLeast+formatDuration(s.AllocTimeNS), atLeast+formatShare(s.AllocTimeNS, s.DurationSumNS),
				formatDuration(s.DurationSumNS), formatCoverage(s.LatencyCoverage))
		default:
			fmt.Fprintf(&b, "  %s verifying; no latency measured\n", formatDuration(s.DurationSumNS))
		}
	}
	if len(s.Losses) > 0 {
		fmt.Fprintf(&b, "  lost: %s\n", formatLosses(s.Losses))
	} else {
		b.WriteString("  nothing lost\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// LossText tells people of losses in one line, for a log.
func LossText(r *record.LossReport) string {
	text := "lost: " + formatLosses(r.Losses)
	if r.Advice != "" {
		text += ": " + printable(r.Advice)
	}
	return text
}
