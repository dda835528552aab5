package compare

import "github.com/verialloc/verialloc/tracer/record"

// KindComparison is the kind of a comparison's line of JSON.
const KindComparison = "comparison"

// Comparison is the outcome of Compare.
type Comparison struct {
	record.Head

	Base  Source  `json:"base"`
	New   Source  `json:"new"`
	Noise *Source `json:"noise"` // nil: the halves of BASE

	// The parameters of the method.
	Alpha      float64 `json:"alpha"`      // chance of any false better or worse over the rows of a metric
	Power      float64 `json:"power"`      // with which min_detectable_percent would be found
	Confidence float64 `json:"confidence"` // of every interval
	Seed       uint64  `json:"seed"`       // of the bootstraps
	// ObserverBudgetPercent is how much longer than bare loads traced ones may take for
	// their times to be believed.
	ObserverBudgetPercent float64 `json:"observer_budget_percent"`
	// MaxFloorPercent is the widest noise floor within which anything is the same.
	MaxFloorPercent float64 `json:"max_floor_percent"`

	// Differences are what the recordings' machines and options differ in.
	Differences []Difference `json:"differences"`
	// Unknown is what they may differ in: one side or both could not read it.
	Unknown []Unknown `json:"unknown,omitempty"`
	Rows    []Row     `json:"rows"`
	// GeometricMeans are over the rows, one of each metric that has any.
	GeometricMeans []GeometricMean `json:"geometric_means"`
	// Slack is of BASE, one traced load of each program added up.
	Slack     []Slack     `json:"slack"`
	Unmatched []Unmatched `json:"unmatched"`
	Warnings  []Warning   `json:"warnings"`
}

// The formats of a source.
const (
	FormatRecording = "recording"
	FormatVeristat  = "veristat"
)

// Source is where a side was read from.
type Source struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Kernel string `json:"kernel"`       // uname -r; empty of a CSV
	Build  string `json:"kernel_build"` // uname -v; empty of a CSV
	// Programs counts those with samples, Samples the lines.
	Programs int `json:"programs"`
	Samples  int `json:"samples"`
}

// Difference is one thing that is not the same on both sides. Empty is not there.
type Difference struct {
	What string `json:"what"`
	Base string `json:"base"`
	New  string `json:"new"`
}

// Unknown is one thing that is not known of a side. The reasons are empty of a side of which
// it is known.
type Unknown struct {
	What string `json:"what"`
	Base string `json:"base"` // why it is not known of BASE
	New  string `json:"new"`  // why it is not known of NEW
}

// Row is one program on both sides.
type Row struct {
	File    string `json:"file_name"`
	Prog    string `json:"prog_name"`
	NewFile string `json:"new_file_name,omitempty"` // where the map of names changed it
	NewProg string `json:"new_prog_name,omitempty"`

	// Work is what the verifier did not do alike on the two sides: empty, and times can
	// be compared.
	Work    []Difference `json:"work"`
	Metrics []Result     `json:"metrics"`
	// Observer is nil unless both sides have bare and traced samples.
	Observer *Observer `json:"observer"`
	// Ceiling is of BASE; nil without traced samples.
	Ceiling *Ceiling `json:"ceiling"`
}

// Verdict is what a comparison found of one metric.
type Verdict string

// The verdicts. Same is a change that is, with the confidence of its interval, no
// greater than a noise floor that is not too wide.
const (
	Better       Verdict = "better"
	Worse        Verdict = "worse"
	Same         Verdict = "same"
	Inconclusive Verdict = "inconclusive"
)

// Reason is why a verdict is inconclusive.
type Reason string

// The reasons.
const (
	ReasonOneSample   Reason = "one_sample"        // a side has one sample of it alone
	ReasonWork        Reason = "different_work"    // the verifier did not do the same work
	ReasonContradicts Reason = "contradictory"     // rows of one program contradict each other
	ReasonObserver    Reason = "observer"          // tracing took more than its budget
	ReasonTimed       Reason = "timed_share"       // the sides timed another share of their allocations
	ReasonNoFloor     Reason = "no_noise_floor"    // nothing shows how BASE differs from itself
	ReasonUnsteady    Reason = "unsteady"          // beyond the floor, but so are the halves of NEW from each other
	ReasonFew         Reason = "too_few_samples"   // no outcome could have been significant
	ReasonNoisy       Reason = "noisy"             // not better or worse, and the floor is too wide to call it the same
	ReasonFloor       Reason = "within_noise"      // significant, but not beyond the floor
	ReasonWide        Reason = "interval_too_wide" // neither significant nor within the floor
)

// Result is one metric of a row. Percentages are of BASE's median, less the
// allocators' own, and nil where that is 0.
type Result struct {
	Metric string `json:"metric"`
	Unit   Unit   `json:"unit"`
	Base   Side   `json:"base"`
	New    Side   `json:"new"`
	// AllocatorsOwn: the medians hold what slab and vmalloc allocated for themselves.
	// Nothing else here does: change and verdict are of the rest.
	AllocatorsOwn bool `json:"allocators_own,omitempty"`
	// Change is the median of all differences between a sample of NEW and one of BASE.
	Change Change `json:"change"`
	// P is the Mann-Whitney test's, PHolm that after Holm's correction over the rows;
	// nil where there is no test.
	P     *float64 `json:"p"`
	PHolm *float64 `json:"p_holm"`
	// FloorPercent is the noise floor: how far BASE may differ from itself.
	FloorPercent *float64 `json:"floor_percent"`
	// MinDetectablePercent is the least true change that would be called better or worse
	// with the stated power, at this many samples.
	MinDetectablePercent *float64 `json:"min_detectable_percent"`
	Verdict              Verdict  `json:"verdict"`
	// Deterministic: all samples of a side are equal, as they are by the metric's nature,
	// and the verdict needs no test.
	Deterministic bool   `json:"deterministic"`
	Reason        Reason `json:"reason,omitempty"` // of inconclusive
	// SettleSamples is how many samples a side would settle an inconclusive verdict, if
	// the change, their spread and the floor stay as they are, or, of noisy, the shift
	// that the floor is about; of one_sample, no_noise_floor and too_few_samples the least
	// with which a verdict is possible; 0 where no number is known, and Unsettled is why.
	SettleSamples int       `json:"settle_samples,omitempty"`
	Unsettled     Unsettled `json:"unsettled,omitempty"` // of inconclusive
	Tails         []Tail    `json:"tails,omitempty"`
}

// Side is one side's samples of a metric, in its unit.
type Side struct {
	Samples int      `json:"samples"`
	Median  float64  `json:"median"`
	Lo      *float64 `json:"lo"` // of the median's interval; nil: too few samples
	Hi      *float64 `json:"hi"`
	Bimodal bool     `json:"bimodal"` // more than one mode: a median may be of neither
}

// Change is how much greater NEW is.
type Change struct {
	Absolute  float64  `json:"absolute"` // in the metric's unit
	Percent   *float64 `json:"percent"`
	LoPercent *float64 `json:"lo_percent"` // nil: too few samples
	HiPercent *float64 `json:"hi_percent"`
	// MedianPercent is the change between the two medians, less the allocators' own. It
	// differs from Percent where the samples change their shape.
	MedianPercent *float64 `json:"median_percent"`
}

// Tail is a quantile far from the median.
type Tail struct {
	Quantile  float64 `json:"quantile"`
	Base      float64 `json:"base"`
	New       float64 `json:"new"`
	Percent   float64 `json:"percent"`
	LoPercent float64 `json:"lo_percent"` // of a bootstrap
	HiPercent float64 `json:"hi_percent"`
}

// GeometricMean is the mean factor between the medians of the rows of a metric.
type GeometricMean struct {
	Metric       string   `json:"metric"`
	Rows         int      `json:"rows"` // that went into it
	Percent      float64  `json:"percent"`
	LoPercent    *float64 `json:"lo_percent"` // of a bootstrap within the rows; nil: too few samples
	HiPercent    *float64 `json:"hi_percent"`
	FloorPercent *float64 `json:"floor_percent"`
	Verdict      Verdict  `json:"verdict"`
}

// Observer is what tracing costs: the median verification time of traced loads beyond
// that of bare ones.
type Observer struct {
	BasePercent float64 `json:"base_percent"`
	NewPercent  float64 `json:"new_percent"`
	Exceeded    bool    `json:"exceeded"` // either is beyond the budget
}

// Unmatched is a program that could not be compared.
type Unmatched struct {
	File string `json:"file_name"`
	Prog string `json:"prog_name"`
	Side string `json:"side"` // base or new: where it is
	Why  string `json:"why"`
}

// Warning is a doubt about a number, for a reader to weigh. Empty members: it is of all.
type Warning struct {
	Code   string `json:"code"`
	File   string `json:"file_name,omitempty"`
	Prog   string `json:"prog_name,omitempty"`
	Metric string `json:"metric,omitempty"`
	Text   string `json:"text"`
}
