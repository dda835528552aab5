package tracer

import (
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// unseenLoads returns the classes of loads that none of the hooks sees; empty and not nil if
// there is none. The system call's own tracepoints are silent in 32-bit processes; a raw one
// at the entry of each system call is not. Neither runs where the kernel loads a program
// itself: that shows in the function below bpf(2), or in bpf_check(), which has it without
// what was asked for and its verdict, as an incomplete record.
func unseenLoads(hooks []record.Hook) []record.LoadClass {
	attached := func(name string) bool {
		return slices.ContainsFunc(hooks, func(h record.Hook) bool {
			return h.State == record.HookAttached && h.Kind != record.HookFunction &&
				slices.ContainsFunc(h.Targets, func(t record.Target) bool { return t.Name == name })
		})
	}
	unseen := []record.LoadClass{}
	if !attached("__sys_bpf") && !attached("sys_enter") {
		unseen = append(unseen, record.LoadsOf32Bit)
	}
	if !attached("__sys_bpf") && !attached("bpf_check") {
		unseen = append(unseen, record.LoadsOfKernel)
	}
	return unseen
}
