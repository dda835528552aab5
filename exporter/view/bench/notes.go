package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
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
