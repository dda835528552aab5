package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Stress returns the stress program of the BPF mailing list: a socket filter that compares
// the packet's length with one number after another,
//
//	u32 x = skb->len;
//	if (x == 0) x++;
//	if (x == 1) x++;
//	...
//	return x;
//
// The verifier explores both ways of each comparison and keeps most of the states before
// the comparisons: 874 of them for 1000 branches.
func Stress(branches int) Case {
	insns := make(asm.Instructions, 0, 2*branches+2)
	insns = append(insns, loadLength(asm.R0, asm.R1))
	for n := range branches {
		insns = append(insns,
			asm.JNE.Imm32(asm.R0, int32(n), label("next", n+1)).WithSymbol(label("next", n)),
			asm.Add.Imm32(asm.R0, 1),
		)
	}
	insns = append(insns, asm.Return().WithSymbol(label("next", branches)))
	return program("stress", ebpf.SocketFilter, insns)
}
