package load

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
)

// resolveKfuncs returns the instructions with the ids of the kernel functions that they
// call by name, from the kernel's BTF.
func resolveKfuncs(insns asm.Instructions) (asm.Instructions, error) {
	if !slices.ContainsFunc(insns, isKfunc) {
		return insns, nil
	}
	types, err := kernel.ReadTypes()
	if err != nil {
		return nil, err
	}
	resolved := slices.Clone(insns)
	for i := range resolved {
		if !isKfunc(resolved[i]) {
			continue
		}
		function, err := kernel.Find[*btf.Func](types, resolved[i].Reference(), "vmlinux")
		if err != nil {
			return nil, fmt.Errorf("kfunc %s: %w", resolved[i].Reference(), err)
		}
		resolved[i].Constant = int64(function.ID)
	}
	return resolved, nil
}

func isKfunc(insn asm.Instruction) bool {
	return insn.IsKfuncCall()
}
