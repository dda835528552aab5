package generate

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// Loop returns a bounded loop. The verifier walks every iteration: the counter differs
// each time, so that no explored state is equal.
func Loop(iterations int) Case {
	return program("loop", ebpf.SocketFilter, asm.Instructions{
		asm.Mov.Imm(asm.R0, 0),
		asm.Mov.Imm(asm.R6, 0),
		asm.Add.Reg(asm.R0, asm.R6).WithSymbol("body"),
		asm.Add.Imm(asm.R6, 1),
		asm.JLT.Imm(asm.R6, int32(iterations), "body"),
		asm.Return(),
	})
}

// BPFLoop returns a program that calls bpf_loop() (Linux 5.17) with a callback that counts
// on its caller's stack. Its verification does not depend on the iterations: the verifier walks
// the callback once, and from 6.7 until the states converge (ab5cfac139ab "bpf: verify
// callbacks as if they are called unknown number of times").
func BPFLoop(iterations int) Case {
	callback := asm.LoadImm(asm.R2, -1, asm.DWord).WithReference("callback")
	callback.Src = asm.PseudoFunc
	return program("bpf_loop", ebpf.SocketFilter, asm.Instructions{
		btf.WithFuncMetadata(asm.Mov.Imm(asm.R4, 0), entryFunc("bpf_loop")),
		asm.StoreMem(asm.RFP, slot(0), asm.R4, asm.DWord),
		asm.Mov.Imm(asm.R1, int32(iterations)),
		callback,
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, int32(slot(0))),
		asm.FnLoop.Call(),
		asm.LoadMem(asm.R0, asm.RFP, slot(0), asm.DWord),
		asm.Return(),

		btf.WithFuncMetadata(asm.LoadMem(asm.R3, asm.R2, 0, asm.DWord), callbackFunc("callback")).WithSymbol("callback"),
		asm.JGE.Imm(asm.R1, 10, "count"),
		asm.Add.Imm(asm.R3, 1),
		asm.Add.Imm(asm.R3, 1).WithSymbol("count"),
		asm.StoreMem(asm.R2, 0, asm.R3, asm.DWord),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
	})
}

// Iterator returns a program that walks a numeric open-coded iterator (Linux 6.4), which
// the verifier tracks in a stack slot and as an acquired reference. As with [BPFLoop], the
// verification does not depend on the iterations.
func Iterator(iterations int) Case {
	return program("iterator", ebpf.RawTracepoint, slices.Concat(
		asm.Instructions{asm.Mov.Imm(asm.R6, 0)},
		slotAddress("", asm.R1, 0),
		asm.Instructions{
			asm.Mov.Imm(asm.R2, 0),
			asm.Mov.Imm(asm.R3, int32(iterations)),
			kfunc("bpf_iter_num_new"),
		},
		slotAddress("next", asm.R1, 0),
		asm.Instructions{
			kfunc("bpf_iter_num_next"),
			asm.JEq.Imm(asm.R0, 0, "done"),
			asm.LoadMem(asm.R0, asm.R0, 0, asm.Word),
			asm.JGT.Imm(asm.R0, 10, "next"),
			asm.Mov.Imm(asm.R6, 1),
			asm.Ja.Label("next"),
		},
		slotAddress("done", asm.R1, 0),
		asm.Instructions{
			kfunc("bpf_iter_num_destroy"),
			asm.Mov.Reg(asm.R0, asm.R6),
			asm.Return(),
		},
	)).since(6, 4)
}
