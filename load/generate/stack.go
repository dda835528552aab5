package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// maxSlots is the number of 8-byte slots of the 512-byte stack.
const maxSlots = 64

// StackUse returns a program that spills the packet's length to one stack slot after
// another (64 at most), with a branch after each. The verifier's array of stack slots grows
// with every spill, and every branch copies it.
func StackUse(slots int) Case {
	insns := asm.Instructions{
		loadLength(asm.R6, asm.R1),
		asm.Mov.Imm(asm.R0, 0),
	}
	for n := range slots {
		insns = append(insns,
			asm.StoreMem(asm.RFP, slot(n), asm.R6, asm.DWord).WithSymbol(label("spill", n)),
			asm.JNE.Imm(asm.R6, int32(n), label("spill", n+1)),
			asm.Mov.Imm(asm.R0, int32(n)),
		)
	}
	insns = append(insns, asm.Return().WithSymbol(label("spill", slots)))
	return program("stack_use", ebpf.SocketFilter, insns)
}
