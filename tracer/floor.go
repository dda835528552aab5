package tracer

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/tracer/record"
)

// floor is the probes' own share of a latency in nanoseconds, the least of many, and
// the means by which it was measured: those of the entry probes, or "handlers" where
// the kernel permits no more than to measure the work of the programs themselves.
type floor struct {
	ns    uint64
	means string
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

// floorRuns is how often the empty function is called: a microsecond or so each.
const floorRuns = 64

// floorProbes are those on the empty function, by the means that serve latencies.
func floorProbes(latency record.Means) []probe {
	const function = "bpf_fentry_test1"
	entry := probe{"fentry_floor", record.MeansFentry, function, ""}
	if latency == record.MeansKprobe {
		entry = probe{"kprobe_floor", record.MeansKprobe, function, ""}
	}
	return []probe{entry, {"fexit_floor", record.MeansFexit, function, ""}}
}

// probed measures the floor with an entry probe of the given means on an empty
// function of the kernel, and is f where that cannot be done. The error is that of probes
// that do not detach.
func (f floor) probed(o *object, latency record.Means) (_ floor, err error) {
	probes := floorProbes(latency)
	before := len(o.links)
	if o.attach(choice{probes: probes}) != nil {
		return f, nil
	}
	defer func() { err = o.detach(before) }()
	prog, err := o.program(probes[1])
	if err != nil || o.set("floor_ns", ^uint64(0)) != nil {
		return f, nil
	}
	for range floorRuns {
		if _, err := prog.Run(&ebpf.RunOptions{}); err != nil {
			return f, nil
		}
	}
	measured := floor{means: string(probes[0].means)}
	if o.get("floor_ns", &measured.ns) != nil || measured.ns == ^uint64(0) {
		return f, nil
	}
	return measured, nil
}
