package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// Unit is what a metric counts.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	Bytes       Unit = "bytes"
	Mebibytes   Unit = "MiB"
	Count       Unit = ""
)

// metric is one number of a sample.
type metric struct {
	name string
	unit Unit
	mode record.SampleMode
	// exact numbers are the same in every load that does the same work. Only they can be
	// compared where the work was not the same.
	exact bool
	// resolution is the distance between values that the kernel can distinguish; 0 where
	// that does not matter.
	resolution float64
	moreBetter bool
	// allocator is the part of a load's value that slab and vmalloc took for themselves,
	// which is shown and not judged; nil: it has none. It depends on the state that
	// earlier loads left, not on the program.
	allocator func(*record.Group) uint64
	value     func(*record.Sample) (float64, string) // or why there is none
}

// Metric is what a view has to know of one.
type Metric struct {
	Name         string
	Unit         Unit
	Mode         record.SampleMode // of the samples that have it
	MoreIsBetter bool
}

// Metrics returns the metrics that any row has, in the order of the output.
func (c *Comparison) Metrics() []Metric {
	var out []Metric
	for i := range metrics {
		m := &metrics[i]
		if slices.ContainsFunc(c.Rows, func(row Row) bool { return row.Result(m.name) != nil }) {
			out = append(out, Metric{m.name, m.unit, m.mode, m.moreBetter})
		}
	}
	return out
}

// metrics are all that can be compared, in the order of the output.
var metrics = []metric{
	{name: "duration", mode: record.ModeBare, unit: Nanoseconds, resolution: 1000, value: verifierTime},
	{name: "syscall", mode: record.ModeBare, unit: Nanoseconds, value: of(func(s *record.Sample) uint64 { return s.SyscallNS })},
	{name: "task_clock", mode: record.ModeBare, unit: Nanoseconds, value: counter(record.CounterTaskClock)},
	{name: "cycles", mode: record.ModeBare, value: counter(record.CounterCycles)},
	{name: "instructions", mode: record.ModeBare, value: counter(record.CounterInstructions)},
	{name: "ipc", mode: record.ModeBare, moreBetter: true, value: instructionsPerCycle},
	{name: "user_faults", mode: record.ModeBare, value: counter(record.CounterUserFaults)},
	{name: "kernel_faults", mode: record.ModeBare, value: counter(record.CounterKernelFaults)},
	{name: "minor_faults", mode: record.ModeBare, value: counter(record.CounterMinorFaults)},
	{name: "major_faults", mode: record.ModeBare, value: counter(record.CounterMajorFaults)},
	{name: "context_switches", mode: record.ModeBare, value: counter(record.CounterContextSwitches)},
	{name: "migrations", mode: record.ModeBare, value: counter(record.CounterMigrations)},
	{name: "memory_peak", mode: record.ModeBare, unit: Bytes, value: counter(record.CounterMemoryPeak)},
	{name: "mem_peak", mode: record.ModeBare, unit: Mebibytes, resolution: 1}, // veristat's: bench has memory_peak

	{name: "total_insns", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.InsnsProcessed })},
	{name: "total_states", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.TotalStates })},
	{name: "peak_states", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.PeakStates })},
	{name: "max_states_per_insn", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.MaxStatesPerInsn })},
	{name: "max_mark_read_len", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.LongestMarkReadWalk })},
	{name: "stack_depth", mode: record.ModeBare, unit: Bytes, exact: true, value: of(func(s *record.Sample) uint64 { return s.StackDepth })},
	{name: "prog_size", mode: record.ModeBare, exact: true, value: of(func(s *record.Sample) uint64 { return s.ProgSize })},
	{name: "prog_size_jited", mode: record.ModeBare, unit: Bytes, exact: true, value: of(func(s *record.Sample) uint64 { return s.ProgSizeJited })},

	{name: "allocs", mode: record.ModeTraced, exact: true, allocator: func(g *record.Group) uint64 { return g.Allocs }, value: traced(func(v *record.Verification) uint64 { return v.Allocs })},
	{name: "bytes_requested", unit: Bytes, mode: record.ModeTraced, exact: true, allocator: func(g *record.Group) uint64 { return g.BytesRequested }, value: traced(func(v *record.Verification) uint64 { return v.BytesRequested })},
	{name: "bytes_allocated", unit: Bytes, mode: record.ModeTraced, exact: true, allocator: func(g *record.Group) uint64 { return g.BytesAllocated }, value: traced(func(v *record.Verification) uint64 { return v.BytesAllocated })},
	{name: "peak_live_bytes", unit: Bytes, mode: record.ModeTraced, exact: true, allocator: func(g *record.Group) uint64 { return g.PeakLiveBytes }, value: traced(func(v *record.Verification) uint64 { return v.PeakLiveBytes })},
	{name: allocTime, unit: Nanoseconds, mode: record.ModeTraced, value: timed},
}

// allocatorTypes begin the names of functions of slab and vmalloc that allocate for
// themselves.
var allocatorTypes = []string{
	"alloc_slab_obj_exts", "memcg_alloc_slab_cgroups", "alloc_vmap_area", "__get_vm_area_node", "__vmalloc_",
}

// ofAllocator sums the part of a traced load's value that is the allocators' own.
func (m *metric) ofAllocator(v *record.Verification) float64 {
	sum := uint64(0)
	for i := range v.Types {
		if allocatorsOwn(&v.Types[i]) {
			sum += m.allocator(&v.Types[i])
		}
	}
	return float64(sum)
}

// allocatorsOwn reports whether slab or vmalloc allocated a group for themselves.
func allocatorsOwn(g *record.Group) bool {
	return slices.ContainsFunc(allocatorTypes, func(name string) bool { return strings.HasPrefix(g.Name, name) })
}

// timedPercent returns the share of the allocations whose latencies are in alloc_time, by
// the median load. The allocators' own are left out: how many there are depends on
// earlier loads.
func (s *subject) timedPercent() float64 {
	var shares []float64
	for _, v := range s.traced {
		allocs, timed := uint64(0), uint64(0)
		for i := range v.Types {
			if g := &v.Types[i]; !allocatorsOwn(g) {
				allocs += g.Allocs
				timed += g.Latency.Count
			}
		}
		if v.LatencyCoverage > 0 { // alloc_time has no other loads
			shares = append(shares, 100*float64(timed)/float64(max(allocs, 1)))
		}
	}
	return recording.Median(shares)
}

// allocTime is the one time that comes from traced loads.
const allocTime = "alloc_time"

// DefaultMetrics are those that are compared unless asked for others.
var DefaultMetrics = []string{
	"duration", "syscall", "task_clock", "memory_peak",
	"total_insns", "total_states", "peak_states",
	"allocs", "bytes_allocated", "peak_live_bytes", allocTime,
}

// aliases are veristat's other names.
var aliases = map[string]string{
	"dur": "duration", "insns": "total_insns", "states": "total_states",
	"mark_read": "max_mark_read_len", "stack": "stack_depth",
}

// Metrics returns the names of all metrics.
func Metrics() []string {
	names := make([]string, len(metrics))
	for i := range metrics {
		names[i] = metrics[i].name
	}
	return names
}

// ParseMetric returns a metric's name for a name or an alias of veristat's.
func ParseMetric(text string) (string, error) {
	if name, ok := aliases[text]; ok {
		return name, nil
	}
	if !slices.Contains(Metrics(), text) {
		return "", fmt.Errorf("no metric %q: there are %s", text, strings.Join(Metrics(), ", "))
	}
	return text, nil
}

func of(member func(*record.Sample) uint64) func(*record.Sample) (float64, string) {
	return func(s *record.Sample) (float64, string) { return float64(member(s)), "" }
}

// verifierTime gives the verification time; a load that did not reach the verifier has none.
func verifierTime(s *record.Sample) (float64, string) {
	ns, ok := recording.VerifierTime(s)
	if !ok {
		return 0, "the verifier gave no time: the load did not reach it"
	}
	return ns, ""
}

func counter(name string) func(*record.Sample) (float64, string) {
	return func(s *record.Sample) (float64, string) {
		c, ok := s.Counters[name]
		if !ok {
			return 0, "not recorded"
		}
		return float64(c.Value), c.Absent
	}
}

func instructionsPerCycle(s *record.Sample) (float64, string) {
	for _, name := range []string{record.CounterCycles, record.CounterInstructions} {
		if _, why := counter(name)(s); why != "" {
			return 0, why
		}
	}
	ratio, ok := recording.InstructionsPerCycle(s)
	if !ok {
		return 0, "no cycles were counted"
	}
	return ratio, ""
}

func traced(member func(*record.Verification) uint64) func(*record.Sample) (float64, string) {
	return func(s *record.Sample) (float64, string) {
		switch {
		case s.Traced == nil:
			return 0, "the tracer has no record of the load"
		case !s.Traced.Exact:
			return 0, "the tracer's record is not exact"
		default:
			return float64(member(s.Traced)), ""
		}
	}
}

// timed is the time in the allocator, where any of it was measured.
func timed(s *record.Sample) (float64, string) {
	if s.Traced != nil && s.Traced.LatencyCoverage == 0 {
		return 0, "allocations were not timed"
	}
	return traced(func(v *record.Verification) uint64 { return v.AllocTimeNS })(s)
}
