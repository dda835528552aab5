package generate

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// maxDepth is how deep static functions may call each other: the verifier has eight call
// frames, and the entry function takes one.
const maxDepth = 7

// Subprograms returns a chain of depth static functions (7 at most), each called twice by
// the one before. The verifier walks a static function again at each call, with one more
// frame, and each frame here uses stack. It walks the innermost function up to 2^depth
// times, fewer where it prunes.
func Subprograms(depth int) Case {
	insns := asm.Instructions{loadLength(asm.R1, asm.R1)}
	insns = append(insns, callTwice(label("static", 1))...)
	for n := 1; n < depth; n++ {
		body := callTwice(label("static", n+1))
		body[0] = body[0].WithSymbol(label("static", n))
		insns = append(insns, body...)
	}
	insns = append(insns,
		asm.Mov.Reg(asm.R0, asm.R1).WithSymbol(label("static", depth)),
		asm.JGT.Imm(asm.R0, 10, "return"),
		asm.Mov.Imm(asm.R0, 10),
		asm.Return().WithSymbol("return"),
	)
	return program("subprograms", ebpf.SocketFilter, insns)
}

// callTwice calls a function with R1, keeps the result on the stack, and calls
// it again with the result. It returns the sum.
func callTwice(function string) asm.Instructions {
	return asm.Instructions{
		asm.StoreMem(asm.RFP, slot(0), asm.R1, asm.DWord),
		asm.Call.Label(function),
		asm.StoreMem(asm.RFP, slot(1), asm.R0, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.Call.Label(function),
		asm.LoadMem(asm.R1, asm.RFP, slot(1), asm.DWord),
		asm.Add.Reg(asm.R0, asm.R1),
		asm.Return(),
	}
}

// GlobalFunctions returns a program that calls n global functions one after another. In one
// load the verifier verifies each on its own: it begins without states, and frees them
// before it verifies the next function. Its peak_states do not show that, because it does
// not lower the count when a function is done.
func GlobalFunctions(n int) Case {
	insns := asm.Instructions{
		btf.WithFuncMetadata(loadLength(asm.R0, asm.R1), entryFunc("global_funcs")),
	}
	for i := range n {
		insns = append(insns, asm.Mov.Reg(asm.R1, asm.R0), asm.Call.Label(label("global", i)))
	}
	insns = append(insns, asm.Return())
	for i := range n {
		insns = append(insns, globalFunction(i)...)
	}
	return program("global_funcs", ebpf.SocketFilter, insns)
}

// globalFunction returns the i-th global function, which does as Stress with its argument.
func globalFunction(i int) asm.Instructions {
	const branches = 20

	name := label("global", i)
	next := func(n int) string { return label(name+"_next", n) }
	insns := asm.Instructions{
		btf.WithFuncMetadata(asm.Mov.Reg32(asm.R0, asm.R1), globalFunc(name)).WithSymbol(name),
	}
	for n := range branches {
		insns = append(insns,
			asm.JNE.Imm32(asm.R0, int32(n), next(n+1)).WithSymbol(next(n)),
			asm.Add.Imm32(asm.R0, 1),
		)
	}
	return append(insns, asm.Return().WithSymbol(next(branches)))
}
