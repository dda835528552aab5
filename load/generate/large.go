package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Large returns a program of 8000 blocks at most, of ten instructions each. Each block
// calls a static function with a branch, so that the verifier processes at least twice as
// many instructions. With 5000 blocks it has 50,000 instructions: the kernel's arrays for
// them are too large for the slab.
func Large(blocks int) Case {
	insns := make(asm.Instructions, 0, 10*blocks+20)
	insns = append(insns,
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.Mov.Imm(asm.R7, 0),
	)
	for n := range blocks {
		insns = append(insns, asm.Mov.Imm(asm.R8, int32(n)))
		insns = append(insns, arithmetic(asm.R8, 6)...)
		insns = append(insns,
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Call.Label("function"),
			asm.Add.Reg(asm.R7, asm.R0),
		)
	}
	insns = append(insns, asm.Mov.Reg(asm.R0, asm.R7), asm.Return())

	insns = append(insns, loadLength(asm.R0, asm.R1).WithSymbol("function"))
	insns = append(insns, arithmetic(asm.R0, 8)...)
	insns = append(insns,
		asm.JGT.Imm(asm.R0, 10, "return"),
		asm.Mov.Imm(asm.R0, 10),
		asm.Return().WithSymbol("return"),
	)
	return program("large", ebpf.SocketFilter, insns)
}

// arithmetic returns n instructions that change a register.
func arithmetic(dst asm.Register, n int) asm.Instructions {
	insns := make(asm.Instructions, n)
	for i := range insns {
		insns[i] = asm.Xor.Imm(dst, int32(i+1))
	}
	return insns
}
