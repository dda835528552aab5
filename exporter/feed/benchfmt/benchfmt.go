// Package benchfmt feeds benchstat: a recording in the format of Go's benchmarks.
package benchfmt

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// Write writes a recording in the format of Go's benchmarks, which benchstat
// reads: a line for each sample, in the order taken. The line's name is
//
//	BenchmarkVerify/file=FILE/prog=PROG-P
//
// with P loaders at once and with what the format forbids escaped as in URLs. Traced
// samples are BenchmarkTraced. Between file and prog there is path=PATH where two
// objects share their names, verdict=VERDICT where the load was not accepted, and
// exact=no where the tracer did not see all, so that what differs is not taken for the
// same.
//
// What a fair comparison has in common on both sides, such as the CPU, are keys:
// benchstat makes a table for each set of them. What may be the very thing compared,
// such as the kernel, are comments. Counters that the machine does not have are left
// out, and so is the time in allocations where not all of them were timed.
func Write(w io.Writer, m *record.Machine, programs []record.Program, samples []record.Sample) error {
	buffer := bufio.NewWriter(w)
	bootOptions := "" // of a recording that has no more of the command line
	if !m.Recorded() {
		bootOptions = strings.Join(m.BootOptions, " ")
	}
	for _, c := range []struct{ name, value string }{
		{"kernel", m.Kernel},
		{"build", m.Build},
		{"build id", m.KernelBuildID},
		{"kernel command line", m.KernelCommandLine},
		{"boot options", bootOptions},
		{"configuration sha256", m.ConfigSHA256},
		{"hypervisor", m.Hypervisor},
		{"icount", m.ICount},
		{"clock source", m.ClockSource},
		{"boot id", m.BootID},
		{"verialloc", m.Version},
		{"preemption", m.Preemption}, // the kernel's own, as its build
		{"command line", strings.Join(m.CommandLine, " ")},
	} {
		if c.value != "" {
			fmt.Fprintf(buffer, "# %s: %s\n", c.name, text.Printable(c.value))
		}
	}
	writer := benchfmt.NewWriter(buffer)
	for _, u := range unitMetadata() {
		if err := writer.Write(u); err != nil {
			return err
		}
	}
	fmt.Fprintln(buffer)
	names := benchmarkNames(programs)
	config := benchmarkConfig(m)
	for i := range samples {
		s := &samples[i]
		result := &benchfmt.Result{
			Config: config,
			Name:   benchfmt.Name(fmt.Sprintf("%s/%s-%d", benchmarks[s.Mode], names(s), max(1, m.Parallel))),
			Iters:  1,
			Values: benchmarkValues(s),
		}
		if err := writer.Write(result); err != nil {
			return err
		}
	}
	return buffer.Flush()
}

var benchmarks = map[record.SampleMode]string{record.ModeBare: "Verify", record.ModeTraced: "Traced"}

func benchmarkConfig(m *record.Machine) []benchfmt.Config {
	var config []benchfmt.Config
	for _, c := range []struct{ key, value string }{
		{"goos", "linux"},
		{"arch", m.Architecture},
		{"cpu", m.CPUModel},
		{"cpus", strconv.Itoa(m.CPUs)},
		{"governor", m.Governor},
	} {
		if c.value != "" {
			config = append(config, benchfmt.Config{Key: c.key, Value: []byte(text.Printable(c.value)), File: true})
		}
	}
	return config
}

// benchmarkNames returns what names a sample within its benchmark.
func benchmarkNames(programs []record.Program) func(*record.Sample) string {
	type key struct{ file, name string }
	count := make(map[key]int)
	path := make(map[int]string)
	for _, p := range programs {
		count[key{p.File, p.Name}]++
		path[p.ID] = p.Path
	}
	return func(s *record.Sample) string {
		name := "file=" + url.PathEscape(s.File)
		if count[key{s.File, s.Name}] > 1 {
			name += "/path=" + url.PathEscape(path[s.Program])
		}
		if s.Verdict != record.VerdictAccepted {
			name += "/verdict=" + url.PathEscape(string(s.Verdict))
		}
		if s.Traced != nil && !s.Traced.Exact {
			name += "/exact=no"
		}
		return name + "/prog=" + url.PathEscape(s.Name)
	}
}

// The units. Those that a program's verification fixes are exact: benchstat takes no
// statistics of them and warns if they vary.
const (
	unitTime       = "ns/op"
	unitSyscall    = "syscall-ns/op"
	unitInsns      = "insns/op"
	unitStates     = "states/op"
	unitPeakStates = "peak-states/op"
	unitAllocs     = "allocs/op"
	unitRequested  = "requested-B/op"
	unitAllocated  = "B/op"
	unitPeakLive   = "peak-live-B/op"
	unitAllocTime  = "alloc-ns/op"
)

var exactUnits = []string{unitInsns, unitStates, unitPeakStates}

// counterUnits are the units of the counters of bare samples, in the order written.
var counterUnits = []struct{ counter, unit string }{
	{record.CounterTaskClock, "task-clock-ns/op"},
	{record.CounterUserFaults, "user-faults/op"},
	{record.CounterKernelFaults, "kernel-faults/op"},
	{record.CounterMinorFaults, "minor-faults/op"},
	{record.CounterMajorFaults, "major-faults/op"},
	{record.CounterContextSwitches, "context-switches/op"},
	{record.CounterMigrations, "migrations/op"},
	{record.CounterCycles, "cycles/op"},
	{record.CounterInstructions, "instructions/op"},
	{record.CounterMemoryPeak, "memory-peak-B/op"},
}

// unitMetadata says of each unit that less is better, and which are exact.
func unitMetadata() []*benchfmt.UnitMetadata {
	units := []string{
		unitTime, unitSyscall, unitInsns, unitStates, unitPeakStates, unitAllocs, unitRequested, unitAllocated,
		unitPeakLive, unitAllocTime,
	}
	for _, c := range counterUnits {
		units = append(units, c.unit)
	}
	var metadata []*benchfmt.UnitMetadata
	add := func(unit, key, value string) {
		_, tidy := benchunit.Tidy(1, unit)
		metadata = append(metadata, &benchfmt.UnitMetadata{
			UnitMetadataKey: benchfmt.UnitMetadataKey{Unit: tidy, Key: key}, OrigUnit: unit, Value: value,
		})
	}
	for _, unit := range units {
		add(unit, "better", "lower")
		if slices.Contains(exactUnits, unit) {
			add(unit, "assume", "exact")
		}
	}
	return metadata
}

func benchmarkValues(s *record.Sample) []benchfmt.Value {
	var values []benchfmt.Value
	add := func(value uint64, unit string) {
		tidied, tidy := benchunit.Tidy(float64(value), unit)
		values = append(values, benchfmt.Value{Value: tidied, Unit: tidy, OrigValue: float64(value), OrigUnit: unit})
	}
	if s.VerifierTimeNS > 0 { // a load that did not reach the verifier has none
		add(s.VerifierTimeNS, unitTime)
	}
	add(s.SyscallNS, unitSyscall)
	add(s.InsnsProcessed, unitInsns)
	add(s.TotalStates, unitStates)
	add(s.PeakStates, unitPeakStates)
	for _, c := range counterUnits {
		if counter, ok := s.Counters[c.counter]; ok && counter.Absent == "" {
			add(counter.Value, c.unit)
		}
	}
	if v := s.Traced; v != nil {
		add(v.Allocs, unitAllocs)
		add(v.BytesRequested, unitRequested)
		add(v.BytesAllocated, unitAllocated)
		add(v.PeakLiveBytes, unitPeakLive)
		if v.LatencyCoverage == 1 {
			add(v.AllocTimeNS, unitAllocTime)
		}
	}
	return values
}
