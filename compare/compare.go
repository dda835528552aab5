package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/compare/stats"
	"github.com/verialloc/verialloc/tracer/record"
)

// Options say how to compare.
type Options struct {
	Metrics []string // of Metrics; empty: DefaultMetrics
	Names   *NameMap // nil: the same names
	// Noise is another recording of BASE's kernel; nil: the halves of BASE are the noise.
	Noise *Input
	// ObserverBudgetPercent is how much longer traced loads may take for their times to
	// be believed; 0: not at all.
	ObserverBudgetPercent float64
	// DifferentWork judges times even where the verifier did not do the same work.
	DifferentWork bool
	// MaxFloorPercent is the widest noise floor within which anything is called the same;
	// 0: DefaultMaxFloorPercent.
	MaxFloorPercent float64
	Alpha           float64 // 0: DefaultAlpha
	Seed            uint64  // of the bootstraps
}

// The defaults of the method.
const (
	DefaultAlpha                 = 0.05
	DefaultPower                 = 0.8
	DefaultConfidence            = 0.95
	DefaultObserverBudgetPercent = 25
	DefaultMaxFloorPercent       = 10
)

// Compare compares two sides. It fails only if the noise is not of BASE's kernel.
func Compare(base, comp *Input, o Options) (*Comparison, error) {
	if err := checkNoise(base, o.Noise); err != nil {
		return nil, err
	}
	m := method{
		alpha: cmp.Or(o.Alpha, DefaultAlpha), power: DefaultPower, confidence: DefaultConfidence, seed: o.Seed,
		maxFloor: cmp.Or(o.MaxFloorPercent, DefaultMaxFloorPercent), otherNoise: o.Noise != nil,
	}
	differ, unknown := environment(base.machine, comp.machine)
	c := &comparing{
		Comparison: Comparison{
			Head: record.NewHead(KindComparison), Base: base.source, New: comp.source,
			Alpha: m.alpha, Power: m.power, Confidence: m.confidence, Seed: m.seed,
			ObserverBudgetPercent: o.ObserverBudgetPercent, MaxFloorPercent: m.maxFloor,
			Differences: differ, Unknown: unknown,
			Rows: []Row{}, GeometricMeans: []GeometricMean{}, Slack: slack(base),
			Unmatched: []Unmatched{}, Warnings: []Warning{},
		},
		method: m, options: o, base: base, comp: comp,
	}
	c.Warnings = append(append(c.Warnings, base.warnings...), comp.warnings...)
	if o.Noise != nil {
		c.Noise = &o.Noise.source
		c.Warnings = append(c.Warnings, o.Noise.warnings...)
		c.warnOfNoise()
	}
	var unmatched []Unmatched
	c.pairs, unmatched = match(base, comp, o.Names)
	c.Unmatched = append(c.Unmatched, unmatched...)
	if len(c.pairs) == 0 && len(unmatched) > 0 {
		c.warn("nothing_in_common", key{}, "", "no program has samples on both sides: if names changed, --map OLD=NEW says what a program or a file of BASE is called in NEW")
	}
	c.warnOfNames()
	for _, p := range c.pairs {
		c.addRow(p)
	}
	names := o.Metrics
	if len(names) == 0 {
		names = DefaultMetrics
	}
	for i := range metrics {
		if slices.Contains(names, metrics[i].name) {
			c.addMetric(&metrics[i])
		}
	}
	c.warnOfMissing()
	c.warnOfCeilings()
	return &c.Comparison, nil
}

func checkNoise(base, noise *Input) error {
	switch {
	case noise == nil:
		return nil
	case noise.machine == nil || base.machine == nil:
		return fmt.Errorf("%s: %w: the noise floor takes a recording of bench, and BASE as one", noise.source.Name, ErrInput)
	case noise.source.Kernel != base.source.Kernel || noise.source.Build != base.source.Build:
		return fmt.Errorf("%s: %w: it was recorded on Linux %s %s, BASE on %s %s: the noise is what one kernel differs from itself",
			noise.source.Name, ErrInput, noise.source.Kernel, noise.source.Build, base.source.Kernel, base.source.Build)
	default:
		return nil
	}
}

// warnOfNoise says what another recording of BASE's kernel has in another way: what it
// differs in may be more than noise.
func (c *comparing) warnOfNoise() {
	others, unknown := environment(c.base.machine, c.options.Noise.machine)
	// Another boot is what a recording of noise is best made after.
	others = slices.DeleteFunc(others, func(d Difference) bool { return d.What == bootID })
	unknown = slices.DeleteFunc(unknown, func(u Unknown) bool { return u.What == bootID })
	if len(others) > 0 {
		c.warn("noise_environment", key{}, "", "%s differs from BASE: %s", c.Noise.Name, describe(others))
	}
	for _, u := range unknown {
		c.warn("noise_environment", key{}, "", "whether %s differs from BASE is not known: %s: %s", c.Noise.Name, u.What, cmp.Or(u.New, u.Base))
	}
}

// comparing is a comparison in the making.
type comparing struct {
	Comparison
	method     method
	options    Options
	base, comp *Input
	pairs      []pair // one for each of Rows
}

func (c *comparing) warn(code string, k key, metric, format string, args ...any) {
	c.Warnings = append(c.Warnings, Warning{Code: code, File: k.file, Prog: k.prog, Metric: metric, Text: fmt.Sprintf(format, args...)})
}

// addRow adds what a row says ahead of its metrics.
func (c *comparing) addRow(p pair) {
	row := Row{File: p.base.file, Prog: p.base.prog, Work: differentWork(p), Metrics: []Result{}}
	if p.comp.key != p.base.key {
		row.NewFile, row.NewProg = p.comp.file, p.comp.prog
	}
	if len(row.Work) > 0 {
		c.warn("different_work", p.base.key, "", "the verifier did not do the same work: %s", describe(row.Work))
	}
	c.warnOfContention(p)
	row.Observer = observe(p, c.ObserverBudgetPercent)
	timed := len(p.base.values[allocTime]) > 0 && len(p.comp.values[allocTime]) > 0
	if timed && row.Observer != nil && row.Observer.Exceeded && !p.base.disturbed() && !p.comp.disturbed() {
		c.warn("observer", p.base.key, allocTime, "traced loads take %s (BASE) and %s (NEW) more than bare ones, beyond the budget of %s: times in the allocator are not judged",
			inPercent(row.Observer.BasePercent), inPercent(row.Observer.NewPercent), inPercent(c.ObserverBudgetPercent))
	}
	row.Ceiling = ceiling(p.base, c.base.environment, c.ObserverBudgetPercent)
	c.Rows = append(c.Rows, row)
}

// addMetric adds one metric to every row that has it on both sides.
func (c *comparing) addMetric(metric *metric) {
	var trials []*trial
	var rows []int
	for i, p := range c.pairs {
		c.warnAbsent(metric, p)
		a, b := p.base.values[metric.name], p.comp.values[metric.name]
		if len(a) == 0 || len(b) == 0 {
			continue
		}
		t := c.method.newTrial(metric, values{
			a: a, b: b, aa: c.noise(metric, p.base),
			allocatorA: p.base.allocator[metric.name], allocatorB: p.comp.allocator[metric.name],
		}, c.decided(metric, p, &c.Rows[i]))
		trials, rows = append(trials, t), append(rows, i)
	}
	if len(trials) == 0 {
		return
	}
	c.method.judge(metric, trials)
	for i, t := range trials {
		c.addTails(metric, t, c.pairs[rows[i]].base.key)
		c.warnOfShape(t, c.pairs[rows[i]].base.key)
		row := &c.Rows[rows[i]]
		row.Metrics = append(row.Metrics, t.Result)
	}
	if g := c.method.geometricMean(metric, trials); g != nil {
		c.GeometricMeans = append(c.GeometricMeans, *g)
	}
}

// noise returns what a metric's noise floor comes from: BASE and another recording of
// its kernel, or the halves of BASE; nil if there is nothing.
func (c *comparing) noise(metric *metric, base *subject) *stats.Pair {
	a := base.values[metric.name]
	if c.options.Noise == nil {
		return halves(a)
	}
	again := c.options.Noise.find(base.key)
	switch {
	case again == nil || len(again.values[metric.name]) == 0:
		c.warn("no_noise", base.key, metric.name, "%s has no %s of it", c.Noise.Name, metric.name)
		return nil
	case !metric.exact && len(differentWork(pair{base, again})) > 0:
		c.warn("no_noise", base.key, metric.name, "%s is not of the same work: %s", c.Noise.Name, describe(differentWork(pair{base, again})))
		return nil
	default:
		return &stats.Pair{A: a, B: again.values[metric.name]}
	}
}

// decided returns why a metric of a row cannot have a verdict, whatever its samples.
func (c *comparing) decided(metric *metric, p pair, row *Row) Reason {
	switch {
	case p.base.contradicts || p.comp.contradicts:
		return ReasonContradicts
	case metric.name == allocTime && (row.Observer == nil || row.Observer.Exceeded):
		return ReasonObserver
	case len(row.Work) > 0 && !metric.exact && !c.options.DifferentWork:
		return ReasonWork
	case metric.name == allocTime && !c.timedAlike(p):
		return ReasonTimed
	default:
		return ""
	}
}

// timedShareTolerance is how many percentage points the timed shares of two sides may be
// apart. A sum of latencies grows with the share by as much.
const timedShareTolerance = 1

// timedAlike reports whether both sides timed the same share of their allocations, and
// warns if not: who times fewer has the smaller sum.
func (c *comparing) timedAlike(p pair) bool {
	base, comp := p.base.timedPercent(), p.comp.timedPercent()
	if math.Abs(base-comp) <= timedShareTolerance {
		return true
	}
	c.warn("timed_share", p.base.key, allocTime, "%s of BASE's allocations were timed, and %s of NEW's: their sums cannot be compared",
		roundedDown(base), roundedDown(comp))
	return false
}

// warnAbsent says why samples lack a metric: all of a side's, and then the row lacks it,
// or some.
func (c *comparing) warnAbsent(metric *metric, p pair) {
	for _, side := range []struct {
		name string
		*subject
	}{{"BASE", p.base}, {"NEW", p.comp}} {
		switch why := side.absent[metric.name]; {
		case why == "":
		case len(side.values[metric.name]) == 0:
			c.warn("absent", p.base.key, metric.name, "%s has no %s: %s", side.name, metric.name, why)
		default:
			c.warn("left_out", p.base.key, metric.name, "some samples of %s have no %s and are left out: %s", side.name, metric.name, why)
		}
	}
}

// warnOfMissing names the metrics that were asked for and that no row has.
func (c *comparing) warnOfMissing() {
	there := c.Metrics()
	var missing []string
	for _, name := range c.options.Metrics {
		if !slices.ContainsFunc(there, func(m Metric) bool { return m.Name == name }) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	if len(c.pairs) > 0 && len(missing) > 0 {
		c.warn("no_values", key{}, "", "no program has a value on both sides of: %s", strings.Join(missing, ", "))
	}
}

// tails are the quantiles that are reported where samples are enough to bound them.
var tails = []float64{0.9, 0.99}

func (c *comparing) addTails(metric *metric, t *trial, k key) {
	if metric.unit != Nanoseconds || metric.mode != record.ModeBare {
		return
	}
	for _, q := range tails {
		if min(len(t.a), len(t.b)) < stats.TailSamples(q, c.method.confidence) || slices.Min(t.a) <= 0 || slices.Min(t.b) <= 0 {
			continue
		}
		random := stats.Random(c.method.seed, "tail", fmt.Sprint(q), metric.name, k.file, k.prog)
		change := stats.TailChange(t.a, t.b, q, c.method.confidence, random)
		t.Tails = append(t.Tails, Tail{
			Quantile: q, Base: quantile(t.a, q), New: quantile(t.b, q),
			Percent: 100 * (change.Estimate - 1), LoPercent: 100 * (change.Lo - 1), HiPercent: 100 * (change.Hi - 1),
		})
	}
}

func quantile(values []float64, q float64) float64 {
	return stats.Quantile(slices.Sorted(slices.Values(values)), q)
}

// warnOfShape says where a median does not show the whole change.
func (c *comparing) warnOfShape(t *trial, k key) {
	var sides []string
	if t.Base.Bimodal {
		sides = append(sides, "BASE")
	}
	if t.New.Bimodal {
		sides = append(sides, "NEW")
	}
	if len(sides) > 0 {
		c.warn("bimodal", k, t.Metric, "samples of %s have more than one mode: a median may be of neither", strings.Join(sides, " and "))
	}
	median, lo, hi := t.Change.MedianPercent, t.Change.LoPercent, t.Change.HiPercent
	if median != nil && lo != nil && hi != nil && (*median < *lo || *median > *hi) {
		c.warn("shape", k, t.Metric, "the medians change by %s, which is outside the interval of the change: the samples change their shape, not only their place", signed(*median))
	}
}

// warnOfCeilings says where verifications became faster than free allocations would make
// them.
func (c *comparing) warnOfCeilings() {
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Ceiling == nil || row.Ceiling.Total.AtMostPercent == nil || row.Ceiling.Refused != "" {
			continue
		}
		for j := range row.Metrics {
			r := &row.Metrics[j]
			if r.Metric == "duration" && r.Verdict == Better && -r.Change.Estimate() > *row.Ceiling.Total.AtMostPercent {
				c.warn("beyond_ceiling", key{row.File, row.Prog}, r.Metric, "it changed by %s, but all its allocations take %s of its time at most: something else changed as well",
					signed(r.Change.Estimate()), inPercent(*row.Ceiling.Total.AtMostPercent))
			}
		}
	}
}
