package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// Ceiling is how much of its time a verification could save at most if allocations were
// free: the share of its time that they take. Only allocations are timed: frees are in
// no number here.
type Ceiling struct {
	// VerificationNS is the median verification time of bare loads by the clock, of traced
	// ones if there are none; 0: none is known, and Absent says so.
	VerificationNS float64 `json:"verification_ns"`
	// CPUNS is their median CPU time, which shares are of; nil: it is not known, and they
	// are of VerificationNS. A load that shared its CPU takes longer by the clock, and
	// shares of that are too low.
	CPUNS *float64 `json:"verification_cpu_ns"`
	// ProbeFloorNS is the least work of the tracer's own in each latency; nil: not known.
	ProbeFloorNS *float64 `json:"probe_floor_ns"`
	// Refused says why the times are not to be believed; empty if they are, or if none
	// was measured.
	Refused string `json:"refused,omitempty"`
	// Absent says why there is none: no latency was measured, or no verification's time.
	// Empty if there is one.
	Absent string `json:"absent,omitempty"`
	// Types are in the order of what they could save; Total is of all of them.
	Types []CeilingType `json:"types"`
	Total CeilingType   `json:"total"`
}

// CeilingType is the ceiling of one type of object. Numbers are medians over the traced
// loads.
type CeilingType struct {
	Type   string  `json:"type"`
	Allocs float64 `json:"allocs"`
	// AllocsPercent is its share of all allocations.
	AllocsPercent float64 `json:"allocs_percent"`
	// TimedPercent is how many of its allocations were timed.
	TimedPercent float64 `json:"timed_percent"`
	// AtMostPercent is the share of the verification's time with the tracer's own work
	// left in, and with those that were not timed taken to be like those that were; nil
	// where none was.
	AtMostPercent *float64 `json:"at_most_percent"`
	// LessProbesPercent is the share of the timed ones alone, less the probes' floor for
	// each; nil where that is not known, too.
	LessProbesPercent *float64 `json:"less_probes_percent"`
}

// ceiling computes BASE's of one program; nil without traced samples.
func ceiling(s *subject, environment *record.Environment, budget float64) *Ceiling {
	if len(s.traced) == 0 {
		return nil
	}
	c := &Ceiling{Types: []CeilingType{}}
	times := s.values["duration"]
	if len(times) == 0 {
		times = s.tracedNS
	}
	if len(times) > 0 {
		c.VerificationNS = recording.Median(times)
	}
	if s.cpuKnown() {
		c.CPUNS = new(recording.Median(s.cpuNS))
	}
	if environment != nil && environment.ProbeFloorNS > 0 {
		c.ProbeFloorNS = new(float64(environment.ProbeFloorNS))
	}
	names := map[string]bool{}
	for _, v := range s.traced {
		for i := range v.Types {
			names[v.Types[i].Name] = true
		}
	}
	all := func(v *record.Verification) record.Group {
		return record.Group{Allocs: v.Allocs, AllocTimeNS: v.AllocTimeNS, Latency: v.Latency}
	}
	for name := range names {
		c.Types = append(c.Types, c.share(name, s.traced, all, func(v *record.Verification) record.Group {
			for i := range v.Types {
				if v.Types[i].Name == name {
					return v.Types[i]
				}
			}
			return record.Group{}
		}))
	}
	slices.SortFunc(c.Types, func(a, b CeilingType) int {
		return cmp.Or(
			cmp.Compare(deref(b.AtMostPercent), deref(a.AtMostPercent)),
			cmp.Compare(b.Allocs, a.Allocs),
			cmp.Compare(a.Type, b.Type))
	})
	c.Total = c.share("all", s.traced, all, all)
	if c.Total.AtMostPercent != nil {
		c.Refused = s.refusal(budget)
	}
	if !slices.ContainsFunc(s.traced, func(v *record.Verification) bool { return v.Latency.Count > 0 }) {
		c.Absent = untimed(environment)
	} else if len(times) == 0 {
		c.Absent = "no load has a verification time"
	}
	return c
}

// untimed says that no latency was measured, and why as far as the tracer says.
func untimed(environment *record.Environment) string {
	const text = "no latency of an allocation was measured"
	if environment == nil {
		return text
	}
	if why := record.WhyLacking(environment.Lacks, record.HookLatency); why != "" {
		return text + ": " + why
	}
	return text
}

// NoCeiling says why no program of BASE has a ceiling; empty if one has, or if there are
// no traced loads that it could be of.
func (c *Comparison) NoCeiling() string {
	why := ""
	for i := range c.Rows {
		switch ceiling := c.Rows[i].Ceiling; {
		case ceiling == nil:
		case ceiling.Absent == "":
			return ""
		default:
			why = ceiling.Absent
		}
	}
	return why
}

// cpuKnown reports whether the CPU time of every bare load is known, which then shares are of.
func (s *subject) cpuKnown() bool {
	return len(s.cpuNS) > 0 && len(s.cpuNS) == len(s.values["duration"])
}

// refusal says why times that tracing measured are not to be believed; empty if they are.
func (s *subject) refusal(budget float64) string {
	if len(s.values["duration"]) == 0 {
		return "there are no bare loads: what tracing itself takes is not known"
	}
	if s.disturbed() && !s.cpuKnown() { // else the ceiling is of CPU time
		return "traced loads take less time than bare ones: what tracing itself takes is not known"
	}
	if cost, ok := s.observerPercent(); ok && cost > budget {
		return fmt.Sprintf("traced loads take %s more than bare ones, which is beyond the budget of %s",
			inPercent(cost), inPercent(budget))
	}
	return ""
}

// share computes what part of the verification a group of allocations takes.
func (c *Ceiling) share(name string, loads []*record.Verification, all, group func(*record.Verification) record.Group) CeilingType {
	var allocs, ofAllocs, timedShare, atMost, less []float64
	verification := c.VerificationNS
	if c.CPUNS != nil {
		verification = *c.CPUNS
	}
	for _, v := range loads {
		g, whole := group(v), all(v)
		timed, count := float64(g.Latency.Count), float64(g.Allocs)
		allocs = append(allocs, count)
		ofAllocs = append(ofAllocs, 100*count/max(float64(whole.Allocs), 1))
		timedShare = append(timedShare, 100*timed/max(count, 1))
		if timed > 0 && verification > 0 {
			ns := float64(g.AllocTimeNS)
			atMost = append(atMost, 100*ns*max(count/timed, 1)/verification)
			if c.ProbeFloorNS != nil {
				less = append(less, 100*max(ns-timed*(*c.ProbeFloorNS), 0)/verification)
			}
		}
	}
	out := CeilingType{
		Type: name, Allocs: recording.Median(allocs), AllocsPercent: recording.Median(ofAllocs), TimedPercent: recording.Median(timedShare),
	}
	if len(atMost) > 0 {
		out.AtMostPercent = new(recording.Median(atMost))
	}
	if len(less) > 0 {
		out.LessProbesPercent = new(recording.Median(less))
	}
	return out
}

func deref(p *float64) float64 {
	if p == nil {
		return -1
	}
	return *p
}
