package compare

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Limit is a change that is not wanted.
type Limit struct {
	metric  string
	op      string
	percent float64
	text    string
}

var limitForm = regexp.MustCompile(`^([a-z_]+)\s*(<=|>=|<|>)\s*([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)%$`)

// ParseLimit reads METRIC OP PERCENT%, such as "duration>2%": the change of the metric
// from BASE to NEW that is not wanted. OP is one of < <= > >=.
func ParseLimit(text string) (Limit, error) {
	parts := limitForm.FindStringSubmatch(text)
	if parts == nil {
		return Limit{}, fmt.Errorf("%q: want METRIC, one of < <= > >=, and a number with %%, such as duration>2%%", text)
	}
	name, err := ParseMetric(parts[1])
	if err != nil {
		return Limit{}, fmt.Errorf("%q: %w", text, err)
	}
	percent, err := strconv.ParseFloat(parts[3], 64)
	if err != nil {
		return Limit{}, fmt.Errorf("%q: %w", text, err)
	}
	return Limit{name, parts[2], percent, text}, nil
}

// String returns the limit as it was given.
func (l Limit) String() string { return l.text }

// Metric returns the metric that it is of.
func (l Limit) Metric() string { return l.metric }

// is reports whether a change is one that is not wanted.
func (l Limit) is(percent float64) bool {
	switch l.op {
	case "<":
		return percent < l.percent
	case "<=":
		return percent <= l.percent
	case ">":
		return percent > l.percent
	default:
		return percent >= l.percent
	}
}

// Finding is a row that a limit found, or could not decide.
type Finding struct {
	File, Prog string
	Text       string
}

func (f Finding) String() string {
	if f.File == "" {
		return f.Text
	}
	return printable(f.File) + "/" + printable(f.Prog) + ": " + f.Text
}

// Check returns the rows whose change is not wanted, and those of which that cannot be
// told. Better, worse and what is deterministic count with their estimate. Of the others
// nothing is told if the interval of the change, or part of it, is not wanted, or if there
// is none: also of what is the same within a noise floor that is wider than the limit.
// A program of BASE that could not be compared is undecided too, and so is a row
// without the metric.
func (l Limit) Check(c *Comparison) (exceeded, undecided []Finding) {
	for i := range c.Rows {
		row := &c.Rows[i]
		result := row.result(l.metric)
		if result == nil {
			undecided = append(undecided, Finding{row.File, row.Prog, "no " + l.metric + " on both sides"})
			continue
		}
		estimate, decided := result.Change.estimate(), result.Deterministic || result.Verdict == Better || result.Verdict == Worse
		low, high := result.possible()
		switch {
		case decided && l.is(estimate):
			exceeded = append(exceeded, Finding{row.File, row.Prog, l.metric + " changed by " + formatChange(estimate)})
		case !decided && (l.is(low) || l.is(high)):
			undecided = append(undecided, Finding{row.File, row.Prog, l.metric + ": " + result.doubt()})
		}
	}
	for _, u := range c.Unmatched {
		if u.Side == "base" {
			undecided = append(undecided, Finding{u.File, u.Prog, "not compared: " + u.Why})
		}
	}
	if len(c.Rows) == 0 && len(undecided) == 0 {
		undecided = append(undecided, Finding{Text: "no program is on both sides"})
	}
	return exceeded, undecided
}

// result returns the row's result of a metric, nil if it has none.
func (r *Row) result(metric string) *Result {
	for i := range r.Metrics {
		if r.Metrics[i].Metric == metric {
			return &r.Metrics[i]
		}
	}
	return nil
}

// possible returns the least and the greatest change in percent that the samples leave
// possible.
func (r *Result) possible() (low, high float64) {
	if r.Change.LoPercent == nil || r.Change.HiPercent == nil || !r.believable() {
		return math.Inf(-1), math.Inf(1)
	}
	return *r.Change.LoPercent, *r.Change.HiPercent
}

// doubt says why an undecided result does not decide a limit.
func (r *Result) doubt() string {
	if r.Verdict == Same {
		return fmt.Sprintf("the same within the noise floor of %s, which is wider than the limit", formatOptional(r.FloorPercent, formatPercent))
	}
	return r.reasonText()
}

// believable reports whether a result's interval says something: not of sides that cannot
// be compared.
func (r *Result) believable() bool {
	switch r.Reason {
	case ReasonWork, ReasonContradicts, ReasonObserver, ReasonTimed, ReasonOneSample:
		return false
	default:
		return true
	}
}

// estimate returns the change in percent.
func (c *Change) estimate() float64 {
	if c.Percent != nil {
		return *c.Percent
	}
	return math.Inf(int(math.Copysign(1, c.Absolute)))
}
