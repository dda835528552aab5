package compare

import (
	"strings"
	"testing"
)

func TestParseLimit(t *testing.T) {
	for _, text := range []string{"duration>2%", "duration > 2%", "dur>=2.5%", "states<-1%", "ipc<=-0.5%", "allocs>0%", "insns>+3%"} {
		if _, err := ParseLimit(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "duration", "duration>", "duration>2", ">2%", "duration=2%", "colour>2%", "duration>2%%", "duration>1e3%", "duration>.5%", "duration>--1%", "duration>2% ", "duration>2%,states>1%", "DURATION>2%"} {
		if l, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
	}
}

func TestLimits(t *testing.T) {
	_, _, c := compared(t)
	c.Unmatched = nil
	row := func(name string) *Comparison {
		one := *c
		one.Rows = nil
		for _, r := range c.Rows {
			if r.Prog == name {
				one.Rows = append(one.Rows, r)
			}
		}
		return &one
	}
	for _, want := range []struct {
		limit, row          string
		exceeded, undecided int
	}{
		{"duration>2%", "faster", 0, 0}, // better
		{"duration<-5%", "faster", 1, 0},
		{"duration<-20%", "faster", 0, 0},
		{"duration>3%", "alike", 0, 0},       // the interval ends below
		{"duration>0.1%", "alike", 0, 1},     // the same within a wider floor
		{"duration>5%", "rewritten", 0, 1},   // not the same work
		{"total_states>0%", "alike", 0, 0},   // deterministic
		{"total_states>=0%", "alike", 1, 0},  // deterministic
		{"states<-6%", "rewritten", 1, 0},    // deterministic
		{"alloc_time>50%", "watched", 0, 1},  // refused
		{"alloc_time>100%", "refused", 0, 0}, // inconclusive, but a change of that size is not possible
		{"migrations>1%", "faster", 0, 1},    // not recorded
		{"duration>2%", "nowhere", 0, 1},     // no row
	} {
		limit, err := ParseLimit(want.limit)
		if err != nil {
			t.Fatal(err)
		}
		exceeded, undecided := limit.Check(row(want.row))
		if len(exceeded) != want.exceeded || len(undecided) != want.undecided {
			t.Errorf("%s of %s: exceeded %v, undecided %v", want.limit, want.row, exceeded, undecided)
		}
	}
	limit, err := ParseLimit("duration>90%")
	if err != nil {
		t.Fatal(err)
	}
	_, _, c = compared(t)
	if _, undecided := limit.Check(c); len(undecided) != 3 {
		t.Errorf("%v: want the row of other work, the one not loaded, and the one that is gone", undecided)
	}
}

// A change that is not decided may be as great as the noise floor, to both sides, however
// narrow its interval is.
func TestLimitsWithinNoise(t *testing.T) {
	for _, c := range []struct {
		name          string
		verdict       Verdict
		reason        Reason
		floor, lo, hi *float64
		limit         string
		undecided     string // empty: the limit is kept
	}{
		{"same, the floor below the limit", Same, "", new(1.7), new(-1.0), new(1.0), "duration>2%", ""},
		{"same, the floor above", Same, "", new(3.0), new(-1.0), new(1.0), "duration>2%", "the same within the noise floor of 3.0%, which is wider than the limit"},
		{"same, the floor as wide", Same, "", new(2.0), new(-1.0), new(1.0), "duration>2%", ""},
		{"same, the floor as wide, and that not wanted", Same, "", new(2.0), new(-1.0), new(1.0), "duration>=2%", "the same within the noise floor"},
		{"same, faster is not wanted", Same, "", new(3.0), new(-1.0), new(1.0), "duration<-2%", "the same within the noise floor"},
		{"same, faster is not wanted, the floor below", Same, "", new(1.5), new(-1.0), new(1.0), "duration<-2%", ""},
		{"noisy", Inconclusive, ReasonNoisy, new(100.9), new(-28.0), new(1.22), "duration>2%", "its interval is within the noise floor of 100.9%, which is wider than the limit; the noise floor is too wide"},
		{"noisy, the sides swapped", Inconclusive, ReasonNoisy, new(100.9), new(-1.2), new(39.0), "duration>2%", "the noise floor is too wide"},
		{"noisy, faster is not wanted", Inconclusive, ReasonNoisy, new(100.9), new(-1.2), new(39.0), "duration<-2%", "its interval is within the noise floor"},
		{"noisy, the limit beyond", Inconclusive, ReasonNoisy, new(15.0), new(-5.0), new(5.0), "duration>20%", ""},
		{"noisy beside a median of 0", Inconclusive, ReasonNoisy, nil, new(0.0), new(0.0), "duration>20%", "the noise floor is too wide"},
		{"beyond both", Inconclusive, ReasonFloor, new(3.0), new(1.0), new(4.0), "duration>5%", ""},
		{"beyond the interval", Inconclusive, ReasonFloor, new(5.0), new(1.0), new(4.0), "duration>4.5%", "its interval is within"},
		{"beyond the floor", Inconclusive, ReasonWide, new(1.0), new(-1.0), new(4.0), "duration>2%", "the interval is too wide"},
		{"no floor", Inconclusive, ReasonNoFloor, nil, new(-1.0), new(1.0), "duration>2%", ""},
	} {
		r := Result{
			Metric: "duration", Verdict: c.verdict, Reason: c.reason, FloorPercent: c.floor,
			Change: Change{Percent: new(0.0), LoPercent: c.lo, HiPercent: c.hi},
		}
		limit, err := ParseLimit(c.limit)
		if err != nil {
			t.Fatal(err)
		}
		exceeded, undecided := limit.Check(&Comparison{Rows: []Row{{File: "f", Prog: "p", Metrics: []Result{r}}}})
		if len(exceeded) > 0 || (len(undecided) > 0) != (c.undecided != "") {
			t.Errorf("%s: exceeded %v, undecided %v", c.name, exceeded, undecided)
		}
		if len(undecided) > 0 && !strings.HasPrefix(undecided[0].Text, "duration: "+c.undecided) {
			t.Errorf("%s: %q, want %q", c.name, undecided[0].Text, c.undecided)
		}
	}
}

// From 0 to something is more than any limit.
func TestLimitFromNothing(t *testing.T) {
	r := Result{Metric: "allocs", Verdict: Worse, Deterministic: true, Change: Change{Absolute: 5}}
	c := &Comparison{Rows: []Row{{File: "f", Prog: "p", Metrics: []Result{r}}}}
	limit, err := ParseLimit("allocs>1000%")
	if err != nil {
		t.Fatal(err)
	}
	if exceeded, _ := limit.Check(c); len(exceeded) != 1 {
		t.Error("not exceeded")
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, text := range []string{"duration>2%", "states<=-1.5%", "x", "duration>999999999.999999999%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limit, err := ParseLimit(text)
		if err != nil {
			return
		}
		again, err := ParseLimit(limit.metric + limit.op + strings.TrimSuffix(text[strings.LastIndexAny(text, "<>= ")+1:], "%") + "%")
		if err != nil || again.metric != limit.metric || again.op != limit.op || again.percent != limit.percent {
			t.Fatalf("%q: %+v, again %+v, %v", text, limit, again, err)
		}
		if limit.is(limit.percent) != strings.Contains(limit.op, "=") {
			t.Fatalf("%q at the limit", text)
		}
	})
}
