package generate

import "github.com/cilium/ebpf/asm"

// kfunc returns a call of a kernel function by name. load.Prepare resolves the name,
// because the function's id differs between kernels.
func kfunc(name string) asm.Instruction {
	return asm.Instruction{
		OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call),
		Src:    asm.PseudoKfuncCall,
	}.WithReference(name)
}
