package generate

import "github.com/cilium/ebpf/asm"

// kfunc is a call of a kernel function, by name until [load.Prepare] resolves it: the id
// that the instruction takes differs from kernel to kernel.
func kfunc(name string) asm.Instruction {
	return asm.Instruction{
		OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call),
		Src:    asm.PseudoKfuncCall,
	}.WithReference(name)
}
