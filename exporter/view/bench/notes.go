package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// WriteFits writes a line for each fit: how the cost of a kind of generated program grows
// with its size.
func WriteFits(w io.Writer, fits []record.Fit) error {
	var b strings.Builder
	for _, fit := range fits {
		what := map[string]string{"duration_ns": "verification time", "allocs": "allocations"}[fit.Metric]
		fmt.Fprintf(&b, "%s: %s ~ size^%.2f (standard error %.2f; %d sizes from %d to %d)\n",
			text.Printable(fit.Stress), what, fit.Exponent, fit.StandardError, len(fit.Sizes), fit.Sizes[0], slices.Max(fit.Sizes))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteAbsences writes why columns have no number, or not from all samples.
func WriteAbsences(w io.Writer, samples []record.Sample, end *record.End) error {
	var b strings.Builder
	reasons := map[string]string{}
	for i := range samples {
		for name, counter := range samples[i].Counters {
			if counter.Absent != "" {
				reasons[name] = counter.Absent
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&b, "%s is not counted: %s\n", text.Escape(name), text.Escape(reasons[name]))
	}
	writeTracedAbsences(&b, samples, end)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteDisturbances writes in a line each what shows that the machine was busy with other
// work: bare loads that were on a CPU for a part of their time, and traced loads that took
// less than bare ones.
func WriteDisturbances(w io.Writer, loads []recording.Loads) error {
	var contended, faster int
	var least *recording.Loads
	leastShare := 1.0
	for i := range loads {
		if share, ok := loads[i].Contention(); ok {
			contended++
			if share < leastShare {
				least, leastShare = &loads[i], share
			}
		}
		if cost, ok := loads[i].ObserverCost(); ok && cost.Disturbed() {
			faster++
		}
	}
	var b strings.Builder
	if contended > 0 {
		fmt.Fprintf(&b, "bare loads of %s shared their CPU or waited, most so %s/%s, on a CPU %s of the time: task_clock_ns is the measure, not times by the clock\n",
			text.Count(contended, "program"), text.Printable(least.Program.File), text.Printable(least.Program.Name), text.Percent(100*leastShare))
	}
	if faster > 0 {
		fmt.Fprintf(&b, "traced loads of %s took less time than bare ones: the machine was disturbed, and what tracing costs is not known\n", text.Count(faster, "program"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTracedAbsences(b *strings.Builder, samples []record.Sample, end *record.End) {
	if absent := end.TracedAbsent; absent != "" {
		fmt.Fprintf(b, "traced samples are missing: %s\n", text.Escape(absent))
	}
	inexact, untimed := 0, 0
	for i := range samples {
		if v := samples[i].Traced; v != nil && v.ReachedVerifier {
			if !v.Exact {
				inexact++
			}
			if v.LatencyCoverage == 0 {
				untimed++
			}
		}
	}
	if inexact > 0 {
		fmt.Fprintf(b, "allocations of %d traced samples are not counted: the tracer's record is not exact\n", inexact)
	}
	if untimed > 0 {
		fmt.Fprintf(b, "alloc_time_share lacks %d traced samples: allocations were not timed\n", untimed)
	}
}
