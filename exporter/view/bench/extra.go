package bench

import (
	"fmt"
	"strconv"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// notCounted stands where there is no number.
const notCounted = "n/a"

// disturbed stands for a cost of tracing that cannot be one.
const disturbed = "disturbed"

// ExtraColumns returns the columns that veristat does not have, for the rows of these
// programs. Numbers are medians, as recording.Median gives them, and have a fraction where
// that has one.
func ExtraColumns(rows map[*veristat.Row]*recording.Loads) []veristat.Column {
	var columns []veristat.Column
	add := func(name, title string, text func(*recording.Loads) string) {
		columns = append(columns, veristat.Column{Name: name, Title: title, Text: func(row *veristat.Row) string {
			return text(rows[row])
		}})
	}
	add("loads", "Loads", func(l *recording.Loads) string { return strconv.Itoa(len(l.Bare)) })
	add("syscall_ns", "Syscall (ns)", ofBare(func(s *record.Sample) (float64, bool) { return float64(s.SyscallNS), true }))
	add("max_stack_depth", "Max stack (B)", ofBare(func(s *record.Sample) (float64, bool) {
		if s.MaxStackDepth == nil {
			return 0, false
		}
		return float64(*s.MaxStackDepth), true
	}))
	for _, c := range []struct{ name, title string }{
		{record.CounterTaskClock, "Task clock (ns)"},
		{record.CounterUserFaults, "User faults"},
		{record.CounterKernelFaults, "Kernel faults"},
		{record.CounterContextSwitches, "Context switches"},
		{record.CounterMigrations, "Migrations"},
		{record.CounterCycles, "Cycles"},
		{record.CounterInstructions, "Instructions"},
		{record.CounterMemoryPeak, "Peak memory (B)"},
	} {
		add(c.name, c.title, ofBare(recording.Counter(c.name)))
		if c.name == record.CounterInstructions {
			add("ipc", "IPC", func(l *recording.Loads) string {
				return ratio(recording.MedianOf(l.Bare, recording.InstructionsPerCycle))
			})
		}
	}
	add("traced", "Traced", func(l *recording.Loads) string { return strconv.Itoa(len(l.Traced)) })
	for _, c := range []struct {
		name, title string
		of          func(*record.Verification) uint64
	}{
		{"allocs", "Allocs", func(v *record.Verification) uint64 { return v.Allocs }},
		{"state_list_allocs", "State lists", func(v *record.Verification) uint64 { return v.StateListAllocs }},
		{"bytes_requested", "Requested (B)", func(v *record.Verification) uint64 { return v.BytesRequested }},
		{"bytes_allocated", "Allocated (B)", func(v *record.Verification) uint64 { return v.BytesAllocated }},
		{"peak_live_bytes", "Peak live (B)", func(v *record.Verification) uint64 { return v.PeakLiveBytes }},
	} {
		add(c.name, c.title, func(l *recording.Loads) string {
			return number(recording.MedianOf(l.Traced, recording.Traced(c.of)))
		})
	}
	add("alloc_time_share", "In alloc", func(l *recording.Loads) string {
		return ratio(recording.MedianOf(l.Traced, func(s *record.Sample) (float64, bool) {
			v := s.Traced
			if v == nil {
				return 0, false
			}
			return float64(v.AllocTimeNS) / float64(max(v.DurationNS, 1)), v.Exact && v.LatencyCoverage > 0 && v.DurationNS > 0
		}))
	})
	add("observer_cost", "Observer cost", func(l *recording.Loads) string {
		cost, ok := l.ObserverCost()
		if ok && cost.Disturbed() {
			return disturbed
		}
		return ratio(cost.Ratio, ok)
	})
	add("exact", "Exact", func(l *recording.Loads) string {
		exact, verified := 0, 0
		for _, s := range l.Traced {
			if s.Traced == nil {
				continue
			}
			if s.Traced.ReachedVerifier {
				verified++
			}
			if s.Traced.Exact {
				exact++
			}
		}
		if verified == 0 {
			return notCounted
		}
		return fmt.Sprintf("%d/%d", exact, verified)
	})
	return columns
}

// ofBare shows the median of the bare samples.
func ofBare(of func(*record.Sample) (float64, bool)) func(*recording.Loads) string {
	return func(l *recording.Loads) string { return number(recording.MedianOf(l.Bare, of)) }
}

func number(f float64, ok bool) string {
	if !ok {
		return notCounted
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func ratio(f float64, ok bool) string {
	if !ok {
		return notCounted
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}
