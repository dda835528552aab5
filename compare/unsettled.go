package compare

import "slices"

// Unsettled is why no number of samples is told that would settle a verdict.
type Unsettled string

// The causes: those that are reasons as well, and those for which none can be computed.
const (
	UnsettledWork        = Unsettled(ReasonWork)
	UnsettledContradicts = Unsettled(ReasonContradicts)
	UnsettledObserver    = Unsettled(ReasonObserver)
	UnsettledTimed       = Unsettled(ReasonTimed)
	UnsettledUnsteady    = Unsettled(ReasonUnsteady)

	UnsettledNoNoise    Unsettled = "no_noise"       // --noise has not the program, or too few samples
	UnsettledApart      Unsettled = "noise_apart"    // the sets that the floor comes from are too far apart
	UnsettledResolution Unsettled = "resolution"     // of the metric, beside a small median
	UnsettledAllocators Unsettled = "allocators_own" // likewise what slab and vmalloc took
	UnsettledZero       Unsettled = "median_zero"    // there is no floor in percent
	UnsettledAtFloor    Unsettled = "at_floor"       // the change is as great as the floor
	UnsettledMany       Unsettled = "too_many"       // more than settleLimit
)

const noNumber = "no number of samples settles it: "

// unsettledText says of each cause what would settle a verdict instead.
var unsettledText = map[Unsettled]string{
	UnsettledWork:        noNumber + "it takes recordings of the same work: the same objects, verdicts and counts",
	UnsettledContradicts: noNumber + "it takes a CSV that has the program once, or a recording of bench",
	UnsettledObserver:    noNumber + "it takes bare and traced loads on both sides, and traced ones within --observer-budget",
	UnsettledTimed:       noNumber + "it takes recordings that timed the same share of their allocations",
	UnsettledUnsteady:    noNumber + "the pace changed while NEW was measured; it takes NEW again, on a steadier machine",
	UnsettledNoNoise:     noNumber + "it takes a recording for --noise that has the program, with the same work and 8 samples or more",
	UnsettledApart:       noNumber + "what the noise floor comes from is apart by --max-floor or more, and by as much as the change; it takes a steadier machine",
	UnsettledResolution:  noNumber + "the metric's resolution is more than --max-floor of BASE's median, and the change is within the noise; it takes longer loads, or a wider --max-floor",
	UnsettledAllocators:  noNumber + "what slab and vmalloc took for themselves is more than --max-floor of BASE's median, and the change is within the noise",
	UnsettledZero:        noNumber + "BASE's median is 0, no noise floor is a percentage of that, and the change is within the noise",
	UnsettledAtFloor:     "how many samples would settle it cannot be told while the change is exactly as great as the noise floor; more of them may move either",
	UnsettledMany:        "more than a million samples a side would settle it; fewer do on a steadier machine",
}

// footnotes returns those of a comparison: its warnings, and what would settle the rows
// that no number of samples settles.
func (c *Comparison) footnotes() *footnotes {
	notes := slices.Clone(c.Warnings)
	for i := range c.Rows {
		row := &c.Rows[i]
		for j := range row.Metrics {
			if r := &row.Metrics[j]; r.Unsettled != "" {
				notes = append(notes, Warning{File: row.File, Prog: row.Prog, Metric: r.Metric, Text: unsettledText[r.Unsettled]})
			}
		}
	}
	return newFootnotes(notes)
}
