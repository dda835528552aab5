package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// maxInstructions is BPF_COMPLEXITY_LIMIT_INSNS: the length of the longest program that a
// task with CAP_BPF may load, and the most instructions that one verification processes.
const maxInstructions = 1_000_000

// TooComplex returns a loop that ends only after more instructions than the verifier
// processes: E2BIG. A long body makes few states, so that the limit is reached fast.
func TooComplex() Case {
	const body = 2000

	insns := asm.Instructions{asm.Mov.Imm(asm.R6, 0)}
	insns = append(insns, asm.Mov.Imm(asm.R0, 0).WithSymbol("body"))
	insns = append(insns, arithmetic(asm.R0, body)...)
	insns = append(insns,
		asm.Add.Imm(asm.R6, 1),
		asm.JLT.Imm(asm.R6, maxInstructions/body+1, "body"),
		asm.Return(),
	)
	return program("too_complex", ebpf.SocketFilter, insns).rejected(unix.E2BIG)
}

// BadAccess returns a program that reads beyond the context after a number of branches:
// EACCES. The verifier gets there along the branches that are not taken, with all others on
// its branch stack, and frees those unexplored. The stack holds 8192 of them; with more
// branches the load ends with another errno, which differs between kernels.
func BadAccess(branches int) Case {
	insns := asm.Instructions{
		loadLength(asm.R6, asm.R1),
		asm.Mov.Imm(asm.R0, 0),
	}
	for n := range branches {
		insns = append(insns,
			asm.JEq.Imm32(asm.R6, int32(n), label("next", n+1)).WithSymbol(label("next", n)),
			asm.Add.Imm(asm.R0, 1),
		)
	}
	insns = append(insns,
		asm.LoadMem(asm.R0, asm.R1, 0x1000, asm.Word).WithSymbol(label("next", branches)),
		asm.Return(),
	)
	return program("bad_access", ebpf.SocketFilter, insns).rejected(unix.EACCES)
}

// Invalid returns a program with unreachable instructions: EINVAL, from the verifier but
// before it makes its first state.
func Invalid() Case {
	return program("invalid", ebpf.SocketFilter, asm.Instructions{
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
		asm.Mov.Imm(asm.R0, 1),
		asm.Return(),
	}).rejected(unix.EINVAL)
}

// TooLong returns a program that is one instruction longer than permitted: E2BIG, before
// the kernel calls the verifier. The program takes tens of megabytes of memory.
func TooLong() Case {
	insns := make(asm.Instructions, maxInstructions+1)
	for i := range insns {
		insns[i] = asm.Mov.Imm(asm.R0, 0)
	}
	insns[maxInstructions] = asm.Return()
	return program("too_long", ebpf.SocketFilter, insns).rejected(unix.E2BIG)
}
