package tracer

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// floor is the probes' own share of a latency in nanoseconds, the least of many, and
// the means by which it was measured: those of the entry probes, or "handlers" where
// the kernel permits no more than to measure the work of the programs themselves.
type floor struct {
	ns    uint64
	means string
	hooks []record.ProbeFloor // of each hook; nil: not measured
}

const floorHandlers = "handlers"

// calibrate runs the programs' measurement of themselves.
func (o *object) calibrate() (floor, error) {
	f := floor{means: floorHandlers}
	prog, err := o.program(probe{program: "calibrate"})
	if err != nil {
		return f, fmt.Errorf("load: %w", err)
	}
	if _, err := prog.Run(&ebpf.RunOptions{}); err != nil {
		return f, err
	}
	return f, o.get("floor_ns", &f.ns)
}

// floorRuns is how often each span is measured: a microsecond or so each.
const floorRuns = 64

// The kernel's own test of fentry calls functions that do next to nothing, the later ones
// only on newer kernels, and then hits a tracepoint.
var (
	floorFunctions  = []string{"bpf_fentry_test10", "bpf_fentry_test9", "bpf_fentry_test8"}
	floorTracepoint = place{group: "bpf_test_run", name: "bpf_test_finish"}
)

// place is a tracepoint.
type place struct{ group, name string }

// floorEntry is the probe at which a span begins, by the means that serve latencies.
func floorEntry(means record.Means, function string) probe {
	if means == record.MeansKprobe {
		return probe{"kprobe_floor", record.MeansKprobe, function, ""}
	}
	return probe{"fentry_floor", record.MeansFentry, function, ""}
}

// floorBegin is the probe at which a span begins that ends on the same tracepoint.
func floorBegin(at place) probe {
	return probe{"raw_floor_begin", record.MeansRawTracepoint, at.name, ""}
}

// floorEnd is the probe at which a span ends, by the means that serve the ledger.
func floorEnd(means record.Means, at place) probe {
	if means == record.MeansTracepoint {
		return probe{"tp_floor", record.MeansTracepoint, at.name, at.group}
	}
	return probe{"raw_floor", record.MeansRawTracepoint, at.name, ""}
}

// reaches is what it takes to reach a program at a tracepoint, from another one there; 0:
// not known, as of a classic one where another process has one there.
type reaches map[probe]uint64

// measureReaches measures it of the tracepoints at which latencies end, before anything
// is attached there: classic programs of one tracepoint run together, so that a second one
// is not reached after what stands ahead of it.
func (o *object) measureReaches(hooks []hook) (reaches, error) {
	if !slices.ContainsFunc(hooks, func(h hook) bool { return h.kind == record.HookLatency && len(h.choices) > 0 }) {
		return nil, nil // no latencies are wanted
	}
	found := reaches{}
	for _, h := range hooks {
		if h.kind != record.HookLedger || !slices.Contains(timedHooks, h.name) || len(h.choices) == 0 {
			continue
		}
		ledger := h.choices[0].probes[0]
		for _, m := range []struct {
			at  place
			run func() error
		}{{floorTracepoint, o.runFloorTest}, {place{"kmem", ledger.target}, allocate}} {
			end := floorEnd(ledger.means, m.at)
			if _, done := found[end]; done {
				continue
			}
			ns, err := o.span(floorBegin(m.at), end, m.run)
			if err != nil {
				return nil, err
			}
			if ns == 0 && m.at == floorTracepoint {
				return found, nil // fentry is not permitted, or not there
			}
			found[end] = ns
		}
	}
	return found, nil
}

// timedHooks are those of the ledger at which latencies end.
var timedHooks = []string{"kmalloc", "kmem_cache_alloc"}

// probed measures the floor of each hook at which latencies end, and of each means of the
// entry probes: from such a probe on an empty function of the kernel to a program of the
// ledger's means on a tracepoint, and what the hook itself takes more to reach than that
// tracepoint. It is f where that cannot be done. The error is that of probes that do not
// detach.
func (f floor) probed(o *object, hooks []record.Hook, reached reaches) (floor, error) {
	measured := floor{}
	for _, means := range record.MeansOf(hooks, record.HookLatency) {
		spans := map[probe]uint64{}
		for i := range hooks {
			h := &hooks[i]
			if h.Kind != record.HookLedger || !slices.Contains(timedHooks, h.Name) || len(h.Targets) == 0 {
				continue
			}
			ledger := h.Targets[0].Means
			end, there := floorEnd(ledger, floorTracepoint), floorEnd(ledger, place{"kmem", h.Name})
			if spans[end] == 0 {
				var err error
				if spans[end], err = o.span(floorEntry(means[0], o.floorFunction()), end, o.runFloorTest); err != nil {
					return f, err
				}
			}
			ns := spans[end]
			if ns == 0 {
				return f, nil
			}
			if reached[end] > 0 && reached[there] > 0 {
				ns += reached[there] - reached[end]
				measured.hooks = append(measured.hooks, record.ProbeFloor{Hook: h.Name, Means: means[0], FloorNS: ns})
			}
			if measured.ns == 0 || ns < measured.ns {
				measured.ns, measured.means = ns, string(means[0])
			}
		}
	}
	if measured.ns == 0 {
		return f, nil
	}
	return measured, nil
}

// span returns the least time from the clock of one program to that of another while
// run brings both about; 0: the kernel does not permit that. The error is that of probes that
// do not detach.
func (o *object) span(begin, end probe, run func() error) (ns uint64, err error) {
	const none = ^uint64(0)
	before := len(o.links)
	if o.attach(choice{probes: []probe{begin, end}}) != nil || o.set("floor_ns", none) != nil {
		return 0, o.detach(before)
	}
	for range floorRuns {
		if run() != nil {
			return 0, o.detach(before)
		}
	}
	if o.get("floor_ns", &ns) != nil || ns == none {
		ns = 0
	}
	return ns, o.detach(before)
}

// runFloorTest has the kernel call its test functions and hit the tracepoint after them.
func (o *object) runFloorTest() error {
	prog, err := o.program(floorEntry(record.MeansFentry, o.floorFunction()))
	if err != nil {
		return err
	}
	_, err = prog.Run(&ebpf.RunOptions{})
	return err
}

// floorFunction is the last of the test functions that this kernel has.
func (o *object) floorFunction() string { return o.kernel.firstSymbol(floorFunctions...) }

// allocate has the kernel allocate by kmalloc() and from slab caches.
func allocate() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
