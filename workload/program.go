package workload

import (
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Program is a program and what loading it is to give.
type Program struct {
	// Spec is the program. Its Name is valid for the kernel: 15 bytes at most.
	Spec *ebpf.ProgramSpec
	// Since is the oldest kernel on which the load ends with Errno, where that
	// is not every kernel from 6.1.
	Since Kernel
	// Errno is what the load ends with, 0 for a program that is accepted.
	Errno unix.Errno
}

// license is GPL for all programs: kfuncs demand it (6.4, and before).
const license = "GPL"

// program makes a program that every kernel from 6.1 accepts.
func program(name string, kind ebpf.ProgramType, insns asm.Instructions) Program {
	return Program{Spec: &ebpf.ProgramSpec{
		Name:         name,
		Type:         kind,
		License:      license,
		Instructions: insns,
	}}
}

// since returns p with the oldest kernel that accepts it.
func (p Program) since(major, minor int) Program {
	p.Since = Kernel{major, minor}
	return p
}

// rejected returns p with the errno that its load ends with.
func (p Program) rejected(errno unix.Errno) Program {
	p.Errno = errno
	return p
}

// label makes the n-th label of a kind.
func label(kind string, n int) string {
	return kind + strconv.Itoa(n)
}

// slot is the offset of the n-th 8-byte stack slot from the frame pointer.
func slot(n int) int16 {
	return int16(-8 * (n + 1))
}

// slotAddress sets dst to the address of the n-th stack slot. A jump may go there
// by the symbol, if it is not empty.
func slotAddress(symbol string, dst asm.Register, n int) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(dst, asm.RFP).WithSymbol(symbol),
		asm.Add.Imm(dst, int32(slot(n))),
	}
}

// loadLength loads skb->len, a number unknown to the verifier, from the context.
func loadLength(dst, ctx asm.Register) asm.Instruction {
	return asm.LoadMem(dst, ctx, 0, asm.Word)
}
