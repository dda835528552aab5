package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

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
		seen := map[string]bool{}
		for _, h := range diagnosis.Hooks {
			// The names of inlines stand beside what serves them.
			if !h.Attached || strings.Contains(h.Symbol, " ") || h.Name == "sched_process_fork" || seen[h.Symbol+h.Means] || !latency && forLatency(h) {
				continue
			}
			seen[h.Symbol+h.Means] = true
			for _, means := range splitMeans(h.Means) {
				c, err := attachEmpty(means, h)
				if err != nil {
					_, closeErr := stop()
					return nil, errors.Join(fmt.Errorf("empty %s on %s: %w", means, h.Symbol, err), closeErr)
				}
				closers = append(closers, c)
			}
		}
		if len(closers) == 0 {
			return nil, errors.New("verialloc doctor names no hook that is attached")
		}
		return &running{stop: stop}, nil
	}
}

// forLatency tells the hooks that "trace --latency off" does without.
func forLatency(h record.Hook) bool {
	return h.Purpose == "allocation latency" || h.Purpose == "the allocator's slow paths" || h.Name == "visits"
}

// splitMeans takes apart the means of a hook that two programs serve.
func splitMeans(means string) []string {
	for _, pair := range [][]string{{"fexit", "fentry"}, {"fentry", "fexit"}, {"kprobe", "fentry"}, {"kprobe", "kretprobe"}, {"tracepoint", "raw_tracepoint"}} {
		if means == pair[0]+"+"+pair[1] {
			return pair
		}
	}
	return []string{means}
}

// groups are the tracepoint groups of the hooks.
var groups = map[string]string{
	"kmalloc": "kmem", "kfree": "kmem", "kmem_cache_alloc": "kmem", "kmem_cache_free": "kmem",
	"alloc_vmap_area": "vmalloc", "free_vmap_area_noflush": "vmalloc",
	"sys_enter_bpf": "syscalls", "sys_exit_bpf": "syscalls", "sched_process_exit": "sched",
}

func attachEmpty(means string, h record.Hook) (func() error, error) {
	spec := &ebpf.ProgramSpec{
		License:      "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	}
	switch means {
	case "raw_tracepoint":
		spec.Type = ebpf.RawTracepoint
	case "tracepoint":
		spec.Type = ebpf.TracePoint
	case "fentry":
		spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, h.Symbol
	case "fexit":
		spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFExit, h.Symbol
	case "kprobe", "kretprobe":
		spec.Type = ebpf.Kprobe
	default:
		return nil, fmt.Errorf("unknown means %q", means)
	}
	prog, err := ebpf.NewProgram(spec)
	if err != nil {
		return nil, err
	}
	var l link.Link
	switch means {
	case "raw_tracepoint":
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.Symbol, Program: prog})
	case "tracepoint":
		l, err = link.Tracepoint(groups[h.Symbol], h.Symbol, prog, nil)
	case "fentry", "fexit":
		l, err = link.AttachTracing(link.TracingOptions{Program: prog})
	case "kprobe":
		l, err = link.Kprobe(h.Symbol, prog, nil)
	case "kretprobe":
		l, err = link.Kretprobe(h.Symbol, prog, nil)
	}
	if err != nil {
		return nil, errors.Join(err, prog.Close())
	}
	return func() error { return errors.Join(l.Close(), prog.Close()) }, nil
}

func named(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
