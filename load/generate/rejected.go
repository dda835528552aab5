package generate

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
)

// Rejected is a program that the verifier rejects, and how it says so.
type Rejected struct {
	Case
	// Words is a regular expression for what the verifier says to that. The Errno of the
	// case is not filled in.
	Words string
}

// Rejections returns a program for each way in which the verifier's words for a rejection
// stand in its log. They refer to maps: call release after the last load.
func Rejections() (programs []Rejected, release func() error, err error) {
	array, err := newMap(ebpf.Array)
	if err != nil {
		return nil, nil, err
	}
	hash, err := newMap(ebpf.Hash)
	if err != nil {
		return nil, nil, errors.Join(err, array.Close())
	}
	return rejections(array, hash), func() error { return errors.Join(array.Close(), hash.Close()) }, nil
}

func rejections(array, hash *ebpf.Map) []Rejected {
	var all []Rejected
	add := func(kind ebpf.ProgramType, name, words string, insns ...asm.Instruction) *Rejected {
		all = append(all, Rejected{program(name, kind, insns), words})
		return &all[len(all)-1]
	}
	filter := func(name, words string, insns ...asm.Instruction) *Rejected {
		return add(ebpf.SocketFilter, name, words, insns...)
	}
	zero, exit := asm.Mov.Imm(asm.R0, 0), asm.Return()

	// One line.
	filter("exit", `^R0 !read_ok$`, exit)
	filter("branch", `^R3 !read_ok$`, loadLength(asm.R0, asm.R1), asm.JNE.Imm(asm.R0, 7, "out"), asm.Mov.Reg(asm.R0, asm.R3), exit.WithSymbol("out"))
	filter("stack_write", `^invalid write to stack R10 off=-520 size=8$`, asm.StoreMem(asm.RFP, -520, asm.R1, asm.DWord), zero, exit)
	filter("stack_read", `^invalid read from stack R10 off=8 size=8$`, asm.LoadMem(asm.R0, asm.RFP, 8, asm.DWord), exit)
	filter("context", `^invalid bpf_context access off=4096 size=4$`, asm.LoadMem(asm.R0, asm.R1, 4096, asm.Word), exit)
	filter("map_null", `^R0 invalid mem access 'map_value_or_null'$`, lookup(hash, asm.LoadMem(asm.R0, asm.R0, 0, asm.DWord), exit)...)
	filter("arithmetic", `^R1 pointer arithmetic with \*= operator prohibited$`, asm.Mul.Imm(asm.R1, 2), zero, exit)
	filter("argument", `^R1 type=ctx expected=map_ptr$`, asm.Mov.Reg(asm.R2, asm.R1), asm.FnMapLookupElem.Call(), exit)
	filter("helper", `^invalid func unknown#100000$`, asm.BuiltinFunc(100000).Call(), exit)
	filter("co_re", `^invalid func unknown#195896080$`, asm.BuiltinFunc(0xbad2310).Call(), exit) // a relocation that libbpf could not make
	filter("opcode", `^unknown opcode e7$`, asm.Instruction{OpCode: 0xe7}, zero, exit)
	filter("unreachable", `^unreachable insn 2$`, zero, exit, zero, exit)
	filter("jump", `^jump out of range from insn 0 to 100$`, asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Ja), Offset: 99}, zero, exit)
	add(ebpf.Kprobe, "license", `^cannot call GPL-restricted function from non-GPL compatible program$`, asm.FnTracePrintk.Call(), exit).Spec.License = "Proprietary"
	add(ebpf.CGroupSKB, "value", `^At program exit the register R0 has .*should have been in`, asm.Mov.Imm(asm.R0, 9), exit).Spec.AttachType = ebpf.AttachCGroupInetIngress

	// Two lines: the second says where.
	add(ebpf.XDP, "packet", `^invalid access to packet, .*; R2 (offset|min value) is outside of the `, asm.LoadMem(asm.R2, asm.R1, 0, asm.Word), asm.LoadMem(asm.R0, asm.R2, 0, asm.Byte), exit)
	filter("map_value", `^invalid access to map value, value_size=8 off=8 size=8; R0 min value is outside of the allowed memory range$`,
		lookup(array, asm.JEq.Imm(asm.R0, 0, "out"), asm.LoadMem(asm.R0, asm.R0, 8, asm.DWord), exit.WithSymbol("out"))...)
	// 6.13 names the exit as well ("bpf: Unify resource leak checks").
	const leak = `^Unreleased reference id=\d+ alloc_insn=\d+(; BPF_EXIT instruction in main prog would lead to reference leak)?$`
	add(ebpf.SchedCLS, "reference", leak,
		asm.Mov.Imm(asm.R3, 0), asm.StoreMem(asm.RFP, -16, asm.R3, asm.DWord), asm.StoreMem(asm.RFP, -8, asm.R3, asm.DWord),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -16), asm.Mov.Imm(asm.R3, 12), asm.Mov.Imm(asm.R4, -1), asm.Mov.Imm(asm.R5, 0),
		asm.FnSkLookupTcp.Call(), zero, exit)

	// Kernel functions.
	iterator := asm.Instructions{asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, -8)}
	for _, r := range []*Rejected{
		filter("kfunc", `^R2 is not a scalar$|^variable .* access .* disallowed$`, kfunc("bpf_rdonly_cast"), zero, exit),
		add(ebpf.SchedCLS, "iterator", leak, append(iterator, asm.Mov.Imm(asm.R2, 0), asm.Mov.Imm(asm.R3, 3), kfunc("bpf_iter_num_new"), zero, exit)...),
		add(ebpf.SchedCLS, "uninitialized", `^expected an initialized iter_num as (arg #0|R1)$`, append(iterator, kfunc("bpf_iter_num_next"), zero, exit)...),
	} {
		r.Since = kernel.Version{Major: 6, Minor: 4}
	}

	// States behind the words, or the words behind an instruction.
	filter("infinite", `^infinite loop detected at insn 1$`, loadLength(asm.R0, asm.R1), asm.JNE.Imm(asm.R0, 5, "again").WithSymbol("again"), exit)

	// Functions, with what the verifier says of them all the same.
	filter("subprogram", `^R1 invalid mem access 'scalar'$`, asm.Mov.Imm(asm.R1, 0), asm.Call.Label("f"), exit,
		asm.LoadMem(asm.R0, asm.R1, 0, asm.DWord).WithSymbol("f"), exit)
	filter("stack_sum", `^combined stack size of 2 calls is \d+\. Too large$`, asm.StoreMem(asm.RFP, -400, asm.R1, asm.DWord), asm.Call.Label("f"), exit,
		asm.StoreImm(asm.RFP, -400, 0, asm.Word).WithSymbol("f"), zero, exit)
	filter("recursion", `^back-edge from insn 2 to 2$|^the call stack of 9 frames is too deep$|^recursive call from \(\) to \(\)$`,
		asm.Call.Label("f"), exit, asm.Call.Label("f").WithSymbol("f"), exit)
	global := func(name, words string, body asm.Instruction, main ...asm.Instruction) {
		main[0] = btf.WithFuncMetadata(main[0], entryFunc(name))
		filter(name, words, append(main, exit, btf.WithFuncMetadata(body, globalFunc("f")).WithSymbol("f"), exit)...)
	}
	global("global_body", `^R1 invalid mem access 'scalar'$`, asm.LoadMem(asm.R0, asm.R1, 0, asm.DWord), loadLength(asm.R1, asm.R1), asm.Call.Label("f"))
	global("global_call", `^R1 is not a scalar; Caller passes invalid args into func#1( \('f'\))?$`, zero, asm.Mov.Reg(asm.R0, asm.R1), asm.Call.Label("f"))
	global("after_global", `^R3 !read_ok$`, zero, loadLength(asm.R1, asm.R1), asm.Call.Label("f"), asm.Mov.Reg(asm.R0, asm.R3))

	// Limits.
	return append(all,
		Rejected{BadAccess(9000), `^The sequence of 8193 jumps is too complex\.$`},
		Rejected{TooComplex(), `^BPF program is too large\. Processed 1000001 insn$`},
	)
}

// newMap creates a map of 8-byte values by 4-byte keys.
func newMap(kind ebpf.MapType) (*ebpf.Map, error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: kind, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		return nil, fmt.Errorf("create a map for the programs: %w", err)
	}
	return m, nil
}

// lookup looks an element of the map up, and goes on with the instructions.
func lookup(m *ebpf.Map, insns ...asm.Instruction) asm.Instructions {
	return append(asm.Instructions{
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.FnMapLookupElem.Call(),
	}, insns...)
}
