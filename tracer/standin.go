package tracer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/tracer/record"
)

// planStandIns lists the programs that see what the ledger's classic ones and the
// kprobes of vmalloc miss, each twice: see bpf/standin.h. All or none: what one misses makes the
// record as inexact as what all do. Those of vmalloc may be missing where no kprobe is attached
// that they could stand in for.
func (k *runningKernel) planStandIns() []hook {
	if !k.needsStandIns() {
		return nil
	}
	h := hook{
		name: "ledger, raw", purpose: "ledger: what classic programs miss beside tasks that update maps", kind: record.HookStandIn,
		lack: "a record says how often its load ran beside such a task, and is not exact then (blind_slices)",
	}
	if !k.perCPUOffsets.IsKnown() || !k.types.HasMember("bpf_prog", "active") {
		h.lack = "the kernel does not show which raw programs it skips: " + h.lack
		return []hook{h}
	}
	var first, copies []probe
	add := func(p probe) {
		first = append(first, p)
		p.program += "_again"
		copies = append(copies, p)
	}
	for _, name := range []string{"kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free", "alloc_vmap_area", "free_vmap_area_noflush"} {
		add(rawTracepoint(name))
	}
	standIns := choice{probes: slices.Concat(first, copies), standsIn: true}
	if function := k.vmalloc(); function != "" {
		withoutEntry := standIns
		withoutEntry.unless = record.HookVmEntry
		add(probe{"fexit_vmalloc", record.MeansFexit, function, ""})
		add(probe{"fentry_vmalloc", record.MeansFentry, function, ""})
		standIns.probes = slices.Concat(first, copies)
		h.choices = []choice{standIns, withoutEntry}
		return []hook{h}
	}
	h.choices = []choice{standIns}
	return []hook{h}
}

// needsStandIns reports whether the ledger is served by programs that may be skipped with a
// sign, as raw ones are.
func (k *runningKernel) needsStandIns() bool { return k.preemptibleRawTP && k.progActive.IsKnown() }

// locateAll loads the programs of a choice, and tells those on sched_switch where the
// kernel counts who is inside each.
func (o *object) locateAll(c choice) error {
	active := make([]uint64, o.base.Variables["stand_in_active"].Size()/8)
	n, room := len(c.probes)/2, len(active)/2 // the first ones, then their copies
	if n > room {
		return fmt.Errorf("%d programs, at most %d", n, room)
	}
	for i, p := range c.probes {
		prog, err := o.program(p)
		if err != nil {
			return err
		}
		if active[i/n*room+i%n], err = o.locate(prog); err != nil {
			return fmt.Errorf("%s: %w", p.program, err)
		}
	}
	return o.set("stand_in_active", active)
}

// standIn attaches the stand-ins. Until then a machine on which no task updates maps does
// without their cost, which all tasks bear.
func (o *object) standIn(c choice) error {
	if err := o.attach(c); err != nil {
		return err
	}
	return o.set("stand_ins", uint32(len(c.probes)/2))
}

// needStandIns attaches the stand-ins at the first verification of which the kernel may have
// hidden a part. Where that fails the next ones are as lossy, and the summary says why.
func (t *Tracer) needStandIns(done []*record.Verification) {
	blind := func(l record.Loss) bool { return l.Reason == record.LossBlind }
	for _, v := range done {
		if !t.standsIn && slices.ContainsFunc(v.Lossy, blind) {
			t.standsIn = true
			if err := t.source.standIn(); err != nil {
				t.summary.StandInsAbsent = cause(err)
			}
		}
	}
}

// locate returns where the kernel counts who is inside a program.
func (o *object) locate(prog *ebpf.Program) (active uint64, err error) {
	info, err := prog.Info()
	if err != nil {
		return 0, fmt.Errorf("read its id: %w", err)
	}
	id, ok := info.ID()
	if !ok {
		return 0, errors.New("it has no id")
	}
	locate, err := o.program(probe{program: "locate"})
	if err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	if _, err := locate.Run(&ebpf.RunOptions{Context: [2]uint64{uint64(prog.FD()), uint64(id)}}); err != nil {
		return 0, fmt.Errorf("locate it: %w", err)
	}
	if err := o.get("located", &active); err != nil {
		return 0, err
	}
	if active == 0 {
		return 0, errors.New("it is not among this process's files")
	}
	return active, nil
}
