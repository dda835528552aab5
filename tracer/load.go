package tracer

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// object holds the BPF maps and loads programs into their company, one by one:
// what one kernel refuses must not cost the rest.
type object struct {
	kernel  *runningKernel
	spec    *ebpf.CollectionSpec
	base    *ebpf.Collection // maps alone
	loaded  map[string]*ebpf.Collection
	links   []link.Link
	tracefs *kernel.Tracefs
	// tracefsErr is why classic tracepoints cannot be had.
	tracefsErr error
}

// newObject creates the maps.
func newObject(k *runningKernel, c *Config) (*object, error) {
	spec, err := bpf.LoadVerialloc()
	if err != nil {
		return nil, fmt.Errorf("read the BPF object: %w", err)
	}
	k.resolveVariables(spec)
	if err := spec.Variables["config"].Set(k.config(c)); err != nil {
		return nil, fmt.Errorf("configure the BPF programs: %w", err)
	}
	spec.Maps["events"].MaxEntries = uint32(c.RingBytes)
	spec.Maps["rings"].InnerMap.MaxEntries = uint32(os.Getpagesize())
	spec.Maps["loads"].MaxEntries = uint32(c.MaxLoads)
	spec.Maps["calls_of_loads"].MaxEntries = uint32(c.MaxLoads)
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("kernel %s: count CPUs: %w", k.release, err)
	}
	spec.Maps["cpus"].MaxEntries = uint32(cpus)

	base, err := ebpf.NewCollection(&ebpf.CollectionSpec{
		Maps: spec.Maps, Types: spec.Types, ByteOrder: spec.ByteOrder, Variables: spec.Variables,
	})
	if err != nil {
		return nil, k.unprivileged("create BPF maps", err)
	}
	o := &object{kernel: k, spec: spec, base: base, loaded: map[string]*ebpf.Collection{}}
	// Before tracefs, which is not to be opened on a kernel that is locked down for
	// confidentiality. This finds that out.
	if err := o.checkReads(); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	o.tracefs, o.tracefsErr = kernel.OpenTracefs()
	return o, nil
}

// checkReads tries to load a program that reads kernel memory, as the ledger must.
func (o *object) checkReads() error {
	_, err := o.program(probe{program: "raw_kfree"})
	var rejected *ebpf.VerifierError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rejected) && strings.Contains(strings.Join(rejected.Log, " "), "bpf_probe_read"):
		return fmt.Errorf("%w: kernel %s: BPF programs may not read kernel memory (boot without lockdown=confidentiality)",
			ErrPermission, o.kernel.release)
	default:
		return o.kernel.unprivileged("load the ledger", err)
	}
}

// unprivileged wraps the kernel's refusal of what takes privileges, without cilium/ebpf's
// advice on memory limits, which 5.11 did away with.
func (k *runningKernel) unprivileged(what string, err error) error {
	if refused(err) {
		text := cause(err)
		capabilities, err := kernel.ReadCapabilities()
		if lacking := capabilities.LackingToTrace().Names(); err == nil && len(lacking) > 0 {
			text += ": this process lacks " + strings.Join(lacking, " and ")
		}
		return fmt.Errorf("%w: kernel %s: %s: %s", ErrPermission, k.release, what, text)
	}
	return fmt.Errorf("kernel %s: %s: %w", k.release, what, classify(err))
}

// config fills in the programs' constants.
func (k *runningKernel) config(c *Config) bpf.VeriallocTracerConfig {
	perCPUOffsets, _ := k.perCPUOffsets.Get()
	cfg := bpf.VeriallocTracerConfig{
		EnvSize:            k.facts.Env,
		InterruptMask:      k.preemptCount.InterruptMask,
		PreemptCountOffset: k.preemptCount.Offset,
		PageSize:           uint32(k.facts.PageSize),
		OnlyPid:            uint32(c.PID),
		WakeupBytes:        uint32(c.WakeupBytes),
		BpfSyscallNr:       unix.SYS_BPF,
		SlotMask:           uint32(c.MaxLoads - 1),
		Timed:              boolByte(c.Events),
		PerCpuOffsets:      perCPUOffsets,
		NeedsStandIns:      boolByte(k.needsStandIns()),
		SeesSkips:          boolByte(k.progActive.IsKnown()),
		CountedSyscalls:    boolByte(!k.preemptibleSyscalls),
		Follow:             boolByte(c.Follow),
		ThreadSize:         kernel.ThreadSize,
		InterruptByStack:   boolByte(k.preemptCount.Variable.IsUnknown()),
		IncludeSelf:        boolByte(c.IncludeSelf),
		MatchComm:          boolByte(c.Comm != ""),
	}
	copy(cfg.Comm[:], c.Comm)
	return cfg
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// resolveVariables points the placeholders in bpf/interrupt.h and bpf/slice.h at the
// kernel's per-CPU variables. cilium/ebpf resolves typed ksyms of functions only, so
// the BTF id goes into the instruction here (BPF_PSEUDO_BTF_ID). Of a variable that
// the kernel cannot name the instruction is never reached.
func (k *runningKernel) resolveVariables(spec *ebpf.CollectionSpec) {
	const pseudoBTFID = asm.R3
	variables := map[string]kernel.Fact[btf.TypeID]{
		"preempt_count_variable":   k.preemptCount.Variable,
		"bpf_prog_active_variable": k.progActive,
	}
	for _, program := range spec.Programs {
		for i := range program.Instructions {
			ins := &program.Instructions[i]
			variable, ok := variables[ins.Reference()]
			if !ok {
				continue
			}
			id, named := variable.Get()
			resolved := asm.LoadImm(ins.Dst, int64(id), asm.DWord)
			if named {
				resolved.Src = pseudoBTFID
			}
			*ins = resolved.WithSource(ins.Source())
		}
	}
}

// program loads a program, for the given function where it is of a kind that is
// loaded for one.
func (o *object) program(p probe) (*ebpf.Program, error) {
	key := p.program
	if p.means == record.MeansFentry || p.means == record.MeansFexit {
		key += "/" + p.target
	}
	if c, ok := o.loaded[key]; ok {
		return c.Programs[p.program], nil
	}
	spec, ok := o.spec.Programs[p.program]
	if !ok {
		return nil, fmt.Errorf("the BPF object has no program %s", p.program)
	}
	spec = spec.Copy()
	if p.means == record.MeansFentry || p.means == record.MeansFexit {
		spec.AttachTo = p.target
	}
	c, err := ebpf.NewCollectionWithOptions(&ebpf.CollectionSpec{
		Maps: o.spec.Maps, Programs: map[string]*ebpf.ProgramSpec{p.program: spec},
		Types: o.spec.Types, ByteOrder: o.spec.ByteOrder,
	}, ebpf.CollectionOptions{MapReplacements: o.base.Maps, Cache: o.kernel.types.Cache()})
	if err != nil {
		return nil, err
	}
	o.loaded[key] = c
	return c.Programs[p.program], nil
}

// attach loads and attaches the probes of a choice, all or none.
func (o *object) attach(c choice) error {
	before := len(o.links)
	for _, p := range c.probes {
		l, err := o.attachProbe(p)
		if err != nil {
			return errors.Join(err, o.detach(before))
		}
		// Kept, because a link that is garbage collected detaches.
		o.links = append(o.links, l)
	}
	return nil
}

// detach closes all links except the first ones, as many as keep says.
func (o *object) detach(keep int) error {
	var errs []error
	for _, l := range o.links[keep:] {
		errs = append(errs, l.Close())
	}
	o.links = o.links[:keep]
	return errors.Join(errs...)
}

func (o *object) attachProbe(p probe) (link.Link, error) {
	if p.means == record.MeansTracepoint && o.tracefs == nil {
		return nil, o.tracefsErr
	}
	prog, err := o.program(p)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	var l link.Link
	switch p.means {
	case record.MeansRawTracepoint:
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: p.target, Program: prog})
	case record.MeansTracepoint:
		l, err = o.attachTracepoint(p.group, p.target, prog)
	case record.MeansFentry, record.MeansFexit:
		l, err = link.AttachTracing(link.TracingOptions{Program: prog})
	case record.MeansKprobe:
		if p.target == sharedName {
			l, err = o.attachKprobeAt(p.target, prog)
		} else {
			l, err = link.Kprobe(p.target, prog, nil)
		}
	case record.MeansKretprobe:
		l, err = link.Kretprobe(p.target, prog, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	return l, nil
}

// perfLink is a link and the perf event it hangs on.
type perfLink struct {
	link.Link
	event *os.File
}

func (l *perfLink) Close() error {
	return errors.Join(l.Link.Close(), l.event.Close())
}

// attachTracepoint does what link.Tracepoint does, with an id that need not come
// from a mounted tracefs.
func (o *object) attachTracepoint(group, name string, prog *ebpf.Program) (link.Link, error) {
	id, err := o.tracefs.EventID(group, name)
	if err != nil {
		return nil, err
	}
	return attachPerf(group+"/"+name, prog, &unix.PerfEventAttr{
		Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Size: uint32(unix.PERF_ATTR_SIZE_VER1),
		Sample_type: unix.PERF_SAMPLE_RAW, Sample: 1, Wakeup: 1,
	})
}

// attachKprobeAt does what link.Kprobe does, by the function's address. Of a name that
// several symbols have, a variable's among them, the kernel takes the first, and none
// since 6.7 (b022f0c7e404).
func (o *object) attachKprobeAt(function string, prog *ebpf.Program) (link.Link, error) {
	address, ok := o.kernel.symbols.Address(function).Get()
	if !ok {
		return nil, fmt.Errorf("address of %s: %w", function, o.kernel.symbols.Address(function).Why())
	}
	event, ok := o.kernel.kprobes.Get()
	if !ok {
		return nil, o.kernel.kprobes.Why()
	}
	return attachPerf(function, prog, &unix.PerfEventAttr{
		Type: event, Ext2: address, Size: uint32(unix.PERF_ATTR_SIZE_VER1),
	})
}

// attachPerf attaches a program to a perf event.
func attachPerf(name string, prog *ebpf.Program, attr *unix.PerfEventAttr) (link.Link, error) {
	// One event on one CPU is enough: its program runs wherever the event is hit.
	fd, err := unix.PerfEventOpen(attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("perf_event_open", err)
	}
	event := os.NewFile(uintptr(fd), name)
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: prog, Attach: ebpf.AttachPerfEvent})
	if err != nil {
		return nil, errors.Join(err, event.Close())
	}
	return &perfLink{l, event}, nil
}

// set gives a variable of the programs a value.
func (o *object) set(name string, value any) error {
	if err := o.base.Variables[name].Set(value); err != nil {
		return fmt.Errorf("set BPF variable %s: %w", name, err)
	}
	return nil
}

// get reads a variable of the programs.
func (o *object) get(name string, value any) error {
	if err := o.base.Variables[name].Get(value); err != nil {
		return fmt.Errorf("read BPF variable %s: %w", name, err)
	}
	return nil
}

// recursionMisses sums how often the kernel skipped the given programs.
func (o *object) recursionMisses(programs []string) uint64 {
	var sum uint64
	for _, name := range programs {
		c := o.loaded[name]
		if c == nil {
			continue
		}
		if stats, err := c.Programs[name].Stats(); err == nil {
			sum += stats.RecursionMisses
		}
	}
	return sum
}

// Close detaches and releases all.
func (o *object) Close() error {
	var errs []error
	for _, l := range o.links {
		errs = append(errs, l.Close())
	}
	for _, c := range o.loaded {
		c.Close()
	}
	o.base.Close()
	if o.tracefs != nil {
		errs = append(errs, o.tracefs.Close())
	}
	return errors.Join(errs...)
}
