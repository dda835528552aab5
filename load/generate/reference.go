package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// maxReferences is the number of stack slots without the two of the socket tuple.
const maxReferences = maxSlots - tupleSlots

// tupleSlots is the number of stack slots of the IPv4 part of struct bpf_sock_tuple, which
// has 12 bytes.
const tupleSlots = 2

// References returns a program that looks up n sockets (62 at most) and holds them all
// before it releases them: the verifier's array of acquired references grows with every
// lookup, and the verifier copies it at the branch where the lookup may have failed. It is
// a traffic control program and needs CONFIG_INET.
func References(n int) Case {
	insns := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.Mov.Imm(asm.R0, 0),
		asm.StoreMem(asm.RFP, slot(0), asm.R0, asm.DWord),
		asm.StoreMem(asm.RFP, slot(1), asm.R0, asm.DWord),
	}
	for i := range n {
		insns = append(insns,
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, int32(slot(tupleSlots-1))),
			asm.Mov.Imm(asm.R3, 12),
			asm.Mov.Imm(asm.R4, -1), // BPF_F_CURRENT_NETNS
			asm.Mov.Imm(asm.R5, 0),
			asm.FnSkLookupTcp.Call(),
			asm.JEq.Imm(asm.R0, 0, label("release", i)),
			asm.StoreMem(asm.RFP, slot(tupleSlots+i), asm.R0, asm.DWord),
		)
	}
	for i := n; i > 0; i-- {
		insns = append(insns,
			asm.LoadMem(asm.R1, asm.RFP, slot(tupleSlots+i-1), asm.DWord).WithSymbol(label("release", i)),
			asm.FnSkRelease.Call(),
		)
	}
	insns = append(insns,
		asm.Mov.Imm(asm.R0, 0).WithSymbol(label("release", 0)),
		asm.Return(),
	)
	return program("references", ebpf.SchedCLS, insns)
}
