package comparison

import (
	"slices"

	"github.com/verialloc/verialloc/compare"
)

const noNumber = "no number of samples settles it: "

// unsettledText says of each cause what would settle a verdict instead.
var unsettledText = map[compare.Unsettled]string{
	compare.UnsettledWork:        noNumber + "it takes recordings of the same work: the same objects, verdicts and counts",
	compare.UnsettledContradicts: noNumber + "it takes a CSV that has the program once, or a recording of bench",
	compare.UnsettledObserver:    noNumber + "it takes bare and traced loads on both sides, and traced ones within --observer-budget",
	compare.UnsettledTimed:       noNumber + "it takes recordings that timed the same share of their allocations",
	compare.UnsettledUnsteady:    noNumber + "the pace changed while NEW was measured; it takes NEW again, on a steadier machine",
	compare.UnsettledNoNoise:     noNumber + "it takes a recording for --noise that has the program, with the same work and 8 samples or more",
	compare.UnsettledApart:       noNumber + "what the noise floor comes from is apart by --max-floor or more, and by as much as the change; it takes a steadier machine",
	compare.UnsettledResolution:  noNumber + "the metric's resolution is more than --max-floor of BASE's median, and the change is within the noise; it takes longer loads, or a wider --max-floor",
	compare.UnsettledAllocators:  noNumber + "what slab and vmalloc took for themselves is more than --max-floor of BASE's median, and the change is within the noise",
	compare.UnsettledZero:        noNumber + "BASE's median is 0, no noise floor is a percentage of that, and the change is within the noise",
	compare.UnsettledAtFloor:     "no number of samples can be named while the change is exactly as great as the noise floor; more of them may move either",
	compare.UnsettledMany:        "more than a million samples a side would settle it; fewer do on a steadier machine",
}

// footnotesOf returns those of a comparison: its warnings, and what would settle the rows
// that no number of samples settles.
func footnotesOf(c *compare.Comparison) *footnotes {
	notes := slices.Clone(c.Warnings)
	for i := range c.Rows {
		row := &c.Rows[i]
		for j := range row.Metrics {
			if r := &row.Metrics[j]; r.Unsettled != "" {
				notes = append(notes, compare.Warning{File: row.File, Prog: row.Prog, Metric: r.Metric, Text: unsettledText[r.Unsettled]})
			}
		}
	}
	return newFootnotes(notes)
}
