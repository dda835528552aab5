package object

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/load"
)

// relocate applies the CO-RE relocations of the instructions, in place.
func relocate(insns asm.Instructions, types *btf.Builder) error {
	var (
		relocations []*btf.CORERelocation
		relocated   []int
	)
	for i := range insns {
		if r := btf.CORERelocationMetadata(&insns[i]); r != nil {
			relocations, relocated = append(relocations, r), append(relocated, i)
		}
	}
	if len(relocations) == 0 {
		return nil
	}
	targets, err := relocationTargets()
	if err != nil {
		return err
	}
	fixups, err := btf.CORERelocate(relocations, targets, load.NativeEndian, types.Add)
	if err != nil {
		return err
	}
	for n, f := range fixups {
		// If the kernel does not have a type, libbpf uses 0 for its size and its id. The
		// ebpf library writes an instruction that the verifier rejects.
		if text := f.String(); text == "type_size=poison" || text == "target_type_id=poison" {
			insns[relocated[n]].Constant = 0
			continue
		}
		insn := &insns[relocated[n]]
		name := insn.Symbol()
		if err := f.Apply(insn); err != nil {
			return fmt.Errorf("%v: %w", relocations[n], err)
		}
		if name != "" {
			*insn = insn.WithSymbol(name) // Apply loses it with an instruction to be rejected
		}
	}
	return nil
}

// refer makes the instructions refer to maps and externs, in place. It adds maps that only
// this program uses to own.
func (l *loadedObject) refer(insns asm.Instructions, own *closers) error {
	mine := make(map[string]*ebpf.Map)
	var moved int64 // distance of the function's places in section and program, in instructions
	for iter := insns.Iterate(); iter.Next(); {
		insn := iter.Ins
		if function := insn.Symbol(); function != "" {
			moved = int64(iter.Offset) - int64(l.object.functions[function].offset/asm.InstructionSize)
		}
		name := insn.Reference()
		if name == "" {
			continue
		}
		if e := l.object.externs[name]; e != nil {
			if !e.config {
				l.externs.found[name].apply(insn)
				continue
			}
			insn.Src, insn.Constant = asm.PseudoMapValue, int64(e.offset)<<32
			name = kconfigSection
		}
		if table, ok := l.object.tables[name]; ok {
			insn.Src = asm.PseudoMapValue
			if mine[name] == nil {
				m, err := table.create(moved)
				if err != nil {
					return err
				}
				mine[name] = m
				*own = append(*own, m)
			}
		}
		if !insn.IsLoadFromMap() {
			continue
		}
		m, err := l.mapOf(name, mine, own)
		if err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
		if err := insn.AssociateMap(m); err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
	}
	return nil
}

// mapOf returns the map of a name: the object's or, if the kernel dedicates it to one kind
// of program, one that only this program uses.
func (l *loadedObject) mapOf(name string, mine map[string]*ebpf.Map, own *closers) (*ebpf.Map, error) {
	if m := mine[name]; m != nil {
		return m, nil
	}
	if name == hiddenArena {
		return l.arena()
	}
	spec, shared := l.object.spec.Maps[name], l.maps[name]
	if shared == nil {
		return nil, errors.New("the object has none")
	}
	if spec == nil || !dedicated(spec.Type) {
		return shared, nil
	}
	m, err := l.createMap(spec, maxEntries(spec))
	if err != nil {
		return nil, err
	}
	mine[name] = m
	*own = append(*own, m)
	return m, nil
}
