package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/verialloc/verialloc/tracer/record"
)

// emptyPrograms attaches a program that does nothing to each hook that verialloc uses
// on this kernel, by the same means: what is left is the kernel's own cost of hooking.
func emptyPrograms(latency bool) func() (*running, error) {
	return func() (*running, error) {
		out, err := exec.Command("verialloc", "doctor", "-o", "json").Output()
		if err != nil {
			return nil, fmt.Errorf("verialloc doctor: %w", err)
		}
		var diagnosis struct {
			Hooks []record.Hook `json:"hooks"`
		}
		if err := json.Unmarshal(out, &diagnosis); err != nil {
			return nil, fmt.Errorf("verialloc doctor: %w", err)
		}
		var closers []func() error
		stop := func() (outcome, error) {
			var errs []error
			for _, c := range closers {
				errs = append(errs, c())
			}
			return outcome{}, errors.Join(errs...)
		}
		for _, target := range targets(diagnosis.Hooks, latency) {
			c, err := attachEmpty(target)
			if err != nil {
				_, closeErr := stop()
				return nil, errors.Join(fmt.Errorf("empty %s on %s: %w", target.Means, target.Name, err), closeErr)
			}
			closers = append(closers, c)
		}
		if len(closers) == 0 {
			return nil, errors.New("verialloc doctor names no hook that is attached")
		}
		return &running{stop: stop}, nil
	}
}

// targets lists the places that the hooks of a trace without a command are attached to,
// without repetition. With latency off the list leaves out the hooks that time
// allocations, tell their paths apart or watch is_state_visited().
func targets(hooks []record.Hook, latency bool) []record.Target {
	var targets []record.Target
	for _, h := range hooks {
		if h.State != record.HookAttached {
			continue
		}
		switch h.Kind {
		case record.HookFunction: // served by other hooks
			continue
		case record.HookReason: // some calls a load; of its functions not all can be probed by name
			continue
		case record.HookLatency, record.HookPath, record.HookVisit:
			if !latency {
				continue
			}
		}
		for _, t := range h.Targets {
			if !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
		}
	}
	return targets
}

func attachEmpty(target record.Target) (func() error, error) {
	spec := &ebpf.ProgramSpec{
		License:      "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	}
	switch target.Means {
	case record.MeansRawTracepoint:
		spec.Type = ebpf.RawTracepoint
	case record.MeansTracepoint:
		spec.Type = ebpf.TracePoint
	case record.MeansFentry:
		spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, target.Name
	case record.MeansFexit:
		spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFExit, target.Name
	case record.MeansKprobe, record.MeansKretprobe:
		spec.Type = ebpf.Kprobe
	default:
		return nil, fmt.Errorf("unknown means %q", target.Means)
	}
	prog, err := ebpf.NewProgram(spec)
	if err != nil {
		return nil, err
	}
	var l link.Link
	switch target.Means {
	case record.MeansRawTracepoint:
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: target.Name, Program: prog})
	case record.MeansTracepoint:
		l, err = link.Tracepoint(target.Group, target.Name, prog, nil)
	case record.MeansFentry, record.MeansFexit:
		l, err = link.AttachTracing(link.TracingOptions{Program: prog})
	case record.MeansKprobe:
		l, err = link.Kprobe(target.Name, prog, nil)
	case record.MeansKretprobe:
		l, err = link.Kretprobe(target.Name, prog, nil)
	}
	if err != nil {
		return nil, errors.Join(err, prog.Close())
	}
	return func() error { return errors.Join(l.Close(), prog.Close()) }, nil
}

func named(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
