package object

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// symbol is the symbol of a function in the ELF file.
type symbol struct {
	section elf.SectionIndex
	offset  uint64
	// static marks a global function that is not visible. libbpf turns it into a static
	// one, which the verifier does not verify on its own.
	static bool
}

// functions returns the functions of the file by name. The names are unique: the ebpf
// library refuses an object with two functions of one name.
func functions(file *elf.File, symbols []elf.Symbol) map[string]symbol {
	all := make(map[string]symbol)
	for _, s := range symbols {
		if int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		if kind := elf.ST_TYPE(s.Info); kind != elf.STT_FUNC && kind != elf.STT_NOTYPE {
			continue
		}
		visible := elf.ST_VISIBILITY(s.Other) == elf.STV_DEFAULT || elf.ST_VISIBILITY(s.Other) == elf.STV_PROTECTED
		all[s.Name] = symbol{
			section: s.Section,
			offset:  s.Value,
			static:  !visible && file.Sections[s.Section].Name == textSection,
		}
	}
	return all
}

// exceptionCallback returns the function that the kernel calls when the program throws,
// with the functions that it calls. It is nil for a program without one, and for a program
// with several, which the verifier rejects.
func (o *object) exceptionCallback(spec *ebpf.ProgramSpec) (asm.Instructions, error) {
	const tag = "exception_callback:"
	entry := btf.FuncMetadata(&spec.Instructions[0])
	if entry == nil {
		return nil, nil
	}
	var names []string
	for _, t := range entry.Tags {
		if name, ok := strings.CutPrefix(t, tag); ok {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		return nil, nil
	}
	callback := o.spec.Programs[names[0]]
	if callback == nil || callback.SectionName != hiddenText || o.functions[names[0]].static {
		return nil, fmt.Errorf("its exception callback %s is no global function of the object", names[0])
	}
	return callback.Instructions, nil
}

// callOrder returns the functions of a program in libbpf's order, in which the verifier
// verifies them: depth first, each function at its first call. The exception callback, if
// the program has one, is the last.
func callOrder(program, callback asm.Instructions) asm.Instructions {
	bodies := splitFunctions(slices.Concat(program, callback))
	linked := make(asm.Instructions, 0, len(program)+len(callback))
	done := make(map[string]bool)
	var calls []asm.Instructions // what is left of the functions that are being walked
	enter := func(name string) {
		if bodies[name] == nil || done[name] {
			return
		}
		done[name] = true
		linked = append(linked, bodies[name]...)
		calls = append(calls, bodies[name])
	}
	// An object may have more functions than a stack has room for.
	walk := func(name string) {
		for enter(name); len(calls) > 0; {
			last := &calls[len(calls)-1]
			if len(*last) == 0 {
				calls = calls[:len(calls)-1]
				continue
			}
			insn := &(*last)[0]
			*last = (*last)[1:]
			if insn.IsFunctionReference() {
				enter(insn.Reference())
			}
		}
	}
	walk(program.Name())
	if callback != nil {
		walk(callback.Name())
	}
	return linked
}

// splitFunctions splits instructions at the beginnings of functions.
func splitFunctions(insns asm.Instructions) map[string]asm.Instructions {
	bodies := make(map[string]asm.Instructions)
	for at := 0; at < len(insns); {
		end := at + 1
		for end < len(insns) && insns[end].Symbol() == "" {
			end++
		}
		bodies[insns[at].Symbol()] = insns[at:end]
		at = end
	}
	return bodies
}

// count returns the number of instructions as the kernel counts them.
func count(insns asm.Instructions) int {
	return int(insns.Size() / asm.InstructionSize)
}
