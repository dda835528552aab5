package generate

import (
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
)

// Case is a generated program and the expected outcome of a load.
type Case struct {
	// Spec is the program. Its Name is valid for the kernel: 15 bytes at most.
	Spec *ebpf.ProgramSpec
	// Since is the oldest kernel on which the load ends with Errno; zero: Linux 6.1.
	Since kernel.Version
	// Errno is the error that the load ends with, 0 for a program that is accepted.
	Errno unix.Errno
}

// license is GPL for all programs: kfuncs demand it (6.4, and before).
const license = "GPL"

// program returns a program that every kernel from 6.1 accepts.
func program(name string, kind ebpf.ProgramType, insns asm.Instructions) Case {
	return Case{Spec: &ebpf.ProgramSpec{
		Name:         name,
		Type:         kind,
		License:      license,
		Instructions: insns,
	}}
}

// since returns c with the oldest kernel that accepts it.
func (c Case) since(major, minor int) Case {
	c.Since = kernel.Version{Major: major, Minor: minor}
	return c
}

// rejected returns c with the errno that the kernel rejects it with.
func (c Case) rejected(errno unix.Errno) Case {
	c.Errno = errno
	return c
}

// label returns the n-th label of a kind.
func label(kind string, n int) string {
	return kind + strconv.Itoa(n)
}

// slot returns the offset of the n-th 8-byte stack slot from the frame pointer.
func slot(n int) int16 {
	return int16(-8 * (n + 1))
}

// slotAddress sets dst to the address of the n-th stack slot. Jumps refer to the first
// instruction by the symbol, unless it is empty.
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
