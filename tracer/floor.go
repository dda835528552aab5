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

// floorFunction does next to nothing. The kernel calls it to test fentry.
const floorFunction = "bpf_fentry_test1"

// place is a tracepoint.
type place struct{ group, name string }

// floorEntry is the probe at which a span begins, by the means that serve latencies.
func floorEntry(means record.Means) probe {
	if means == record.MeansKprobe {
		return probe{"kprobe_floor", record.MeansKprobe, floorFunction, ""}
	}
	return probe{"fentry_floor", record.MeansFentry, floorFunction, ""}
}

// Probes at the function's return, at which a span ends, and one begins that the other ends.
var (
	floorReturn      = probe{"fexit_floor", record.MeansFexit, floorFunction, ""}
	floorBeginReturn = probe{"fexit_floor_begin", record.MeansFexit, floorFunction, ""}
)

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

// timedHooks are those of the ledger at which latencies end.
var timedHooks = []string{"kmalloc", "kmem_cache_alloc"}

// reaches is what it takes to reach a program, from another one ahead of it at the same place;
// 0: not known, as of a classic one at a tracepoint where another process has one.
type reaches map[probe]uint64

// measureReaches measures it at the function's return and at the tracepoints at which latencies
// end, before anything is attached there: classic programs of one tracepoint run together,
// so that a second one is not reached after what stands ahead of it.
func (o *object) measureReaches(hooks []hook) (reaches, error) {
	if !slices.ContainsFunc(hooks, func(h hook) bool { return h.kind == record.HookLatency && len(h.choices) > 0 }) {
		return nil, nil // no latencies are wanted
	}
	found := reaches{}
	// Of fexit programs the one that was attached last runs first.
	var err error
	if found[floorReturn], err = o.span(floorReturn, floorBeginReturn, o.runFloorTest); err != nil || found[floorReturn] == 0 {
		return nil, err
	}
	for _, h := range hooks {
		if h.kind != record.HookLedger || !slices.Contains(timedHooks, h.name) || len(h.choices) == 0 {
			continue
		}
		ledger := h.choices[0].probes[0]
		at := place{"kmem", ledger.target}
		end := floorEnd(ledger.means, at)
		if found[end], err = o.span(floorBegin(at), end, allocate); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// probed measures the floor by each means of the entry probes, from such a probe on an empty
// function of the kernel to a program at its return; and of each hook at which latencies end:
// with what the hook takes more to reach than that return. It is f where that cannot be done.
// The error is that of probes that do not detach.
func (f floor) probed(o *object, hooks []record.Hook, reached reaches) (floor, error) {
	measured := floor{}
	lower := func(ns uint64, means record.Means) {
		if measured.ns == 0 || ns < measured.ns {
			measured.ns, measured.means = ns, string(means)
		}
	}
	for _, means := range record.MeansOf(hooks, record.HookLatency) {
		ns, err := o.span(floorEntry(means[0]), floorReturn, o.runFloorTest)
		if err != nil || ns == 0 {
			return f, err
		}
		found := false
		for i := range hooks {
			h := &hooks[i]
			if h.Kind != record.HookLedger || !slices.Contains(timedHooks, h.Name) || len(h.Targets) == 0 {
				continue
			}
			there := reached[floorEnd(h.Targets[0].Means, place{"kmem", h.Name})]
			if own, ok := hookFloor(ns, there, reached[floorReturn]); ok {
				found = true
				measured.hooks = append(measured.hooks, record.ProbeFloor{Hook: h.Name, Means: means[0], FloorNS: own})
				lower(own, means[0])
			}
		}
		if !found {
			lower(ns, means[0])
		}
	}
	if measured.ns == 0 {
		return f, nil
	}
	return measured, nil
}

// hookFloor is the floor of a hook, of the span to the function's return and of what it takes
// to reach the hook and that return. It is not measured if the hook was not reached, or if
// the clock went so unevenly that nothing is left.
func hookFloor(span, hook, back uint64) (ns uint64, ok bool) {
	if hook == 0 || span+hook <= back {
		return 0, false
	}
	return span + hook - back, true
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

// runFloorTest has the kernel call the function.
func (o *object) runFloorTest() error {
	prog, err := o.program(floorReturn)
	if err != nil {
		return err
	}
	_, err = prog.Run(&ebpf.RunOptions{})
	return err
}

// allocate has the kernel allocate by kmalloc() and from slab caches.
func allocate() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
