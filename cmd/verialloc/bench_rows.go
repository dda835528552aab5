package main

import (
	"fmt"
	"strconv"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/feed/benchfmt"
	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/tracer/record"
)

// write writes the result, or the rest of it.
func (r *benchRun) write(c *collection, failed map[int]error) error {
	switch r.options.format.value {
	case "jsonl":
		return r.result.finish()
	case "benchfmt":
		return r.writeBenchfmt()
	default:
		return r.writeRows(c, failed)
	}
}

// writeBenchfmt writes a line for each sample, and a comment if some are missing.
func (r *benchRun) writeBenchfmt() error {
	err := benchfmt.Write(r.out, &r.result.machine, r.result.programs, r.result.samples)
	if err != nil || !r.result.end.Interrupted {
		return err
	}
	_, err = fmt.Fprintf(r.out, "# interrupted: %d samples, fewer than asked for\n", r.bench.Samples())
	return err
}

// writeRows writes a row for each program, as veristat does. A program whose turn had
// not come when the bench was interrupted has none.
func (r *benchRun) writeRows(c *collection, failed map[int]error) error {
	var all []taken
	var programs []record.Program
	for _, t := range r.result.byProgram() {
		p := *t.program
		if err := failed[p.ID]; err != nil && len(t.bare) == 0 {
			p.Failure = err.Error()
		}
		if len(t.bare) > 0 || p.Failure != "" {
			all = append(all, t)
			programs = append(programs, p)
		}
	}
	t := veristat.FromRecording(programs, r.result.samples)
	t.Counts = c.counts
	view := r.options.view
	if r.options.extended {
		rows := map[*veristat.Row]*taken{}
		for i := range t.Rows { // there is one for each program
			rows[&t.Rows[i]] = &all[i]
		}
		view.Extra = extraColumns(rows)
	}
	if r.options.format.value == "csv" {
		return bench.WriteCSV(r.out, t, view)
	}
	if err := bench.WriteText(r.out, t, view); err != nil {
		return err
	}
	if err := bench.WriteFits(r.out, r.result.fits()); err != nil || !r.options.extended {
		return err
	}
	return bench.WriteAbsences(r.out, r.result.samples, &r.result.end)
}

// notCounted stands where there is no number.
const notCounted = "n/a"

// extraColumns are those that veristat does not have.
func extraColumns(rows map[*veristat.Row]*taken) []veristat.Column {
	var columns []veristat.Column
	add := func(name, title string, text func(*taken) string) {
		columns = append(columns, veristat.Column{Name: name, Title: title, Text: func(row *veristat.Row) string {
			return text(rows[row])
		}})
	}
	add("loads", "Loads", func(t *taken) string { return strconv.Itoa(len(t.bare)) })
	add("syscall_ns", "Syscall (ns)", ofBare(func(s *record.Sample) (uint64, bool) { return s.SyscallNS, true }))
	for _, c := range []struct{ name, title string }{
		{"task_clock_ns", "Task clock (ns)"},
		{"user_faults", "User faults"},
		{"kernel_faults", "Kernel faults"},
		{"context_switches", "Context switches"},
		{"migrations", "Migrations"},
		{"cycles", "Cycles"},
		{"instructions", "Instructions"},
		{"memory_peak_bytes", "Peak memory (B)"},
	} {
		add(c.name, c.title, ofBare(counted(c.name)))
		if c.name == "instructions" {
			add("ipc", "IPC", func(t *taken) string { return ratio(median(t.bare, instructionsPerCycle)) })
		}
	}
	add("traced", "Traced", func(t *taken) string { return strconv.Itoa(len(t.traced)) })
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
		add(c.name, c.title, func(t *taken) string {
			return number64(median(t.traced, ofTraced(c.of)))
		})
	}
	add("alloc_time_share", "In alloc", func(t *taken) string {
		return ratio(median(t.traced, func(s *record.Sample) (float64, bool) {
			v := s.Traced
			return float64(v.AllocTimeNS) / float64(max(v.DurationNS, 1)), v.Exact && v.LatencyCoverage > 0 && v.DurationNS > 0
		}))
	})
	add("observer_cost", "Observer cost", func(t *taken) string {
		cost, ok := t.observerCost()
		return ratio(cost.Ratio, ok)
	})
	add("exact", "Exact", func(t *taken) string {
		exact, verified := 0, 0
		for _, s := range t.traced {
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

// counted gives a counter of a sample.
func counted(name string) func(*record.Sample) (uint64, bool) {
	return func(s *record.Sample) (uint64, bool) {
		counter, ok := s.Counters[name]
		return counter.Value, ok && counter.Absent == ""
	}
}

func instructionsPerCycle(s *record.Sample) (float64, bool) {
	cycles, ok := counted("cycles")(s)
	instructions, alsoOK := counted("instructions")(s)
	return float64(instructions) / float64(max(cycles, 1)), ok && alsoOK && cycles > 0
}

// ofBare shows the median of the bare samples.
func ofBare(of func(*record.Sample) (uint64, bool)) func(*taken) string {
	return func(t *taken) string { return number64(median(t.bare, of)) }
}

func number64(n uint64, ok bool) string {
	if !ok {
		return notCounted
	}
	return strconv.FormatUint(n, 10)
}

func ratio(f float64, ok bool) string {
	if !ok {
		return notCounted
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}
