package tracer

import (
	"context"
	"errors"

	"github.com/verialloc/verialloc/tracer/record"
)

// Diagnose tries each hook on this kernel, latency and followed children
// included, detaches again and says what came of it. An error means that not
// even a trial was possible; that the kernel refuses or lacks a hook is no error
// but Diagnosis.OK being false.
func Diagnose(ctx context.Context) (record.Diagnosis, error) {
	d := record.Diagnosis{Head: record.NewHead(record.KindDiagnosis)}
	k, err := readKernel()
	if err != nil {
		return d, err
	}
	d.Kernel, d.Build, d.Architecture = k.release.Name, k.release.Build, k.release.Architecture
	config := Config{RingBytes: 1 << 16, Follow: true}
	if err := config.normalize(); err != nil {
		return d, err
	}
	o, err := newObject(k, &config)
	if err != nil {
		return d, err
	}
	hooks := k.plan(&config)
	for i := range hooks {
		// Only a traced command needs it.
		hooks[i].required = hooks[i].required && hooks[i].kind != hookFollow
	}
	a, failed := attachAll(o, hooks)
	d.OK = failed == nil
	d.Hooks = append(k.missionHooks(a.hooks), a.hooks...)
	d.Missing = append([]string{}, a.missing...)
	return d, errors.Join(o.Close(), ctx.Err())
}

// missionHooks tells what the three names that verialloc is about are on this
// kernel: two of them are never symbols, the third only from 7.1.
func (k *runningKernel) missionHooks(hooks []record.Hook) []record.Hook {
	attached := func(name string) *record.Hook {
		for i := range hooks {
			if hooks[i].Name == name {
				return &hooks[i]
			}
		}
		return &record.Hook{}
	}
	inline := func(name, ledger, purpose string, over ...string) record.Hook {
		l := attached(ledger)
		return record.Hook{
			Name: name, Purpose: purpose, Required: true,
			Symbol: "inline over " + k.firstSymbol(over...), Means: l.Means, Attached: l.Attached,
			Reason: l.Reason, Advice: l.Advice,
		}
	}
	visited := record.Hook{Name: "is_state_visited", Purpose: "where state lists are allocated", Required: true}
	if f := k.firstSymbol("bpf_is_state_visited", "is_state_visited"); f != "" {
		l := attached("visits")
		visited.Symbol, visited.Means, visited.Attached = "global "+f, l.Means, l.Attached
		visited.Reason, visited.Advice = l.Reason, l.Advice
	} else {
		l := attached("kmalloc")
		visited.Symbol = "inlined into do_check_common, matched by call site"
		visited.Means, visited.Attached = string(meansCallSite), l.Attached
		visited.Reason, visited.Advice = l.Reason, l.Advice
	}
	return []record.Hook{
		inline("kmem_cache_zalloc", "kmem_cache_alloc", "zeroed object of a slab cache",
			"kmem_cache_alloc_noprof", "kmem_cache_alloc"),
		inline("kzalloc", "kmalloc", "zeroed kmalloc: what state lists come from",
			"__kmalloc_cache_noprof", "kmalloc_trace", "__kmalloc"),
		visited,
	}
}
