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
		{"alloc_time>100%", "refused", 0, 0}, // inconclusive, but not so much
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
