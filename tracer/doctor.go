package tracer

import (
	"context"
	"errors"

	"github.com/verialloc/verialloc/tracer/record"
)

// Diagnose tries each hook on this kernel, latency included, detaches again and says
// what came of it. An error means that not even a trial was possible; that the kernel
// refuses or lacks a hook is no error but Diagnosis.OK being false.
func Diagnose(ctx context.Context) (record.Diagnosis, error) {
	d := record.Diagnosis{Head: record.NewHead(record.KindDiagnosis)}
	k, err := readKernel()
	if err != nil {
		return d, err
	}
	d.Kernel, d.Build, d.Architecture = k.release.Name, k.release.Build, k.release.Architecture
	config := Config{RingBytes: 1 << 16}
	if err := config.normalize(); err != nil {
		return d, err
	}
	o, err := newObject(k, &config)
	if err != nil {
		return d, err
	}
	hooks := k.plan(&config)
	a, failed := attachAll(o, hooks)
	d.OK = failed == nil
	d.Hooks = append(k.missionHooks(a.hooks), a.hooks...)
	d.Missing, d.Lacks, d.UnseenLoads = []string{}, append(a.lacks, k.lacks()...), unseenLoads(a.hooks)
	return d, errors.Join(o.Close(), ctx.Err())
}

// missionHooks reports what the three functions that verialloc is about are on this
// kernel, and what came of the hooks that serve them: two are never symbols, the third
// is one from 7.1.
func (k *runningKernel) missionHooks(hooks []record.Hook) []record.Hook {
	by := func(server string, h record.Hook) record.Hook {
		h.Kind, h.Required, h.State = record.HookFunction, true, record.HookAbsent
		for i := range hooks {
			if s := &hooks[i]; s.Name == server {
				h.State, h.Errno, h.Reason, h.Advice = s.State, s.Errno, s.Reason, s.Advice
				if h.Targets == nil {
					h.Targets = s.Targets
				}
				break
			}
		}
		return h
	}
	visited := record.Hook{Name: "is_state_visited", Purpose: "where state lists are allocated"}
	if f := k.firstSymbol("bpf_is_state_visited", "is_state_visited"); f != "" {
		visited.Form, visited.Function = record.FormGlobal, f
		visited = by("visits", visited)
	} else {
		visited.Form, visited.Function = record.FormInlined, inlinedInto
		visited.Targets = []record.Target{{Means: record.MeansCallSite, Name: inlinedInto}}
		visited = by("kmalloc", visited)
	}
	return []record.Hook{
		by("kmem_cache_alloc", record.Hook{
			Name: "kmem_cache_zalloc", Purpose: "zeroed object of a slab cache",
			Form: record.FormInline, Function: k.firstSymbol("kmem_cache_alloc_noprof", "kmem_cache_alloc"),
		}),
		by("kmalloc", record.Hook{
			Name: "kzalloc", Purpose: "zeroed kmalloc: what state lists come from",
			Form: record.FormInline, Function: k.firstSymbol("__kmalloc_cache_noprof", "kmalloc_trace", "__kmalloc"),
		}),
		visited,
	}
}
