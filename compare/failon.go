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

// String returns the finding as it is: what is shown at a terminal has to be escaped.
func (f Finding) String() string {
	if f.File == "" {
		return f.Text
	}
	return f.File + "/" + f.Prog + ": " + f.Text
}

// Check returns the rows whose change is not wanted, and those of which that is
// undecided. Better, worse and what is deterministic count with their estimate. Of the others,
// inconclusive or the same, nothing is decided if part of the interval of the change is not
// wanted, or if there is none. The interval is taken to reach as far as the noise floor at
// least, to both sides: a change within the floor may be noise.
// A program of BASE that could not be compared is undecided too, and so is a row without
// the metric.
func (l Limit) Check(c *Comparison) (exceeded, undecided []Finding) {
	for i := range c.Rows {
		row := &c.Rows[i]
		result := row.Result(l.metric)
		if result == nil {
			undecided = append(undecided, Finding{row.File, row.Prog, "no " + l.metric + " on both sides"})
			continue
		}
		estimate, decided := result.Change.Estimate(), result.Deterministic || result.Verdict == Better || result.Verdict == Worse
		switch {
		case decided && l.is(estimate):
			exceeded = append(exceeded, Finding{row.File, row.Prog, l.metric + " changed by " + signed(estimate)})
		case !decided && l.any(result.possible()):
			undecided = append(undecided, Finding{row.File, row.Prog, l.metric + ": " + l.doubt(result)})
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

// Result returns the row's result of a metric, nil if it has none.
func (r *Row) Result(metric string) *Result {
	for i := range r.Metrics {
		if r.Metrics[i].Metric == metric {
			return &r.Metrics[i]
		}
	}
	return nil
}

// any reports whether the least or the greatest of changes is one that is not wanted.
func (l Limit) any(low, high float64) bool { return l.is(low) || l.is(high) }

// possible returns the least and the greatest change in percent that the interval and the
// noise floor leave possible.
func (r *Result) possible() (low, high float64) {
	low, high = r.interval()
	switch {
	case r.FloorPercent != nil:
		return min(low, -*r.FloorPercent), max(high, *r.FloorPercent)
	case r.Reason == ReasonNoisy: // a floor beside a median of 0
		return math.Inf(-1), math.Inf(1)
	default:
		return low, high
	}
}

// interval returns that of the change in percent, everything where it says nothing.
func (r *Result) interval() (low, high float64) {
	if r.Change.LoPercent == nil || r.Change.HiPercent == nil || !r.believable() {
		return math.Inf(-1), math.Inf(1)
	}
	return *r.Change.LoPercent, *r.Change.HiPercent
}

// doubt says why a result does not decide the limit.
func (l Limit) doubt(r *Result) string {
	floor := "within the noise floor of "
	if r.FloorPercent != nil {
		floor += inPercent(*r.FloorPercent)
	} else {
		floor += "-"
	}
	floor += ", which is wider than the limit"
	switch {
	case r.Verdict == Same:
		return "the same " + floor
	case r.FloorPercent != nil && !l.any(r.interval()):
		return "its interval is " + floor + "; " + r.ReasonText()
	default:
		return r.ReasonText()
	}
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

// Estimate returns the change in percent, infinite where it is from 0.
func (c *Change) Estimate() float64 {
	if c.Percent != nil {
		return *c.Percent
	}
	return math.Inf(int(math.Copysign(1, c.Absolute)))
}
