package load

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// resolveKfuncs returns the instructions with the ids of the kernel functions that they
// call by name, from the kernel's BTF.
func resolveKfuncs(insns asm.Instructions) (asm.Instructions, error) {
	if !slices.ContainsFunc(insns, isKfunc) {
		return insns, nil
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("kernel BTF: %w", err)
	}
	resolved := slices.Clone(insns)
	for i := range resolved {
		if !isKfunc(resolved[i]) {
			continue
		}
		id, err := kfuncID(kernel, resolved[i].Reference())
		if err != nil {
			return nil, fmt.Errorf("kfunc %s: %w", resolved[i].Reference(), err)
		}
		resolved[i].Constant = int64(id)
	}
	return resolved, nil
}

func isKfunc(insn asm.Instruction) bool {
	return insn.IsKfuncCall()
}

func kfuncID(kernel *btf.Spec, name string) (btf.TypeID, error) {
	var function *btf.Func
	if err := kernel.TypeByName(name, &function); err != nil {
		return 0, err
	}
	return kernel.TypeID(function)
}
