package object

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
)

// jumpTableSection has the jump tables of gotox instructions (Linux 6.19).
const jumpTableSection = ".jumptables"

const (
	mapTypeInsnArray   = 34 // BPF_MAP_TYPE_INSN_ARRAY
	insnArrayValueSize = 16 // struct bpf_insn_array_value
)

// jumpTable is the targets of a table: instructions, as offsets in bytes from the beginning
// of the section of the function that uses the table.
type jumpTable []uint64

// readJumpTables returns the object's jump tables by name.
func readJumpTables(file *elf.File, symbols []elf.Symbol) (map[string]jumpTable, error) {
	tables := make(map[string]jumpTable)
	for _, s := range symbols {
		if int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Name != jumpTableSection || s.Name == "" {
			continue
		}
		data, err := file.Sections[s.Section].Data()
		if err != nil {
			return nil, err
		}
		if s.Value > uint64(len(data)) || s.Size > uint64(len(data))-s.Value || s.Size%8 != 0 {
			return nil, fmt.Errorf("jump table %s is not within its section", s.Name)
		}
		table := make(jumpTable, s.Size/8)
		for i := range table {
			table[i] = file.ByteOrder.Uint64(data[s.Value+8*uint64(i):])
		}
		tables[s.Name] = table
	}
	return tables, nil
}

// create makes the map of the table. moved is the distance, in instructions, between the
// function's place in its section and its place in the program.
func (t jumpTable) create(moved int64) (*ebpf.Map, error) {
	attr := mapAttr{
		mapType:    mapTypeInsnArray,
		keySize:    4,
		valueSize:  insnArrayValueSize,
		maxEntries: uint32(len(t)),
	}
	copy(attr.mapName[:], jumpTableSection)
	m, err := attr.create()
	if err != nil {
		return nil, fmt.Errorf("jump table: %w", err)
	}
	for i, target := range t {
		var value [insnArrayValueSize]byte
		binary.NativeEndian.PutUint32(value[:], uint32(int64(target/8)+moved))
		if err := m.Put(uint32(i), value[:]); err != nil {
			m.Close()
			return nil, fmt.Errorf("jump table: %w", err)
		}
	}
	if err := m.Freeze(); err != nil {
		m.Close()
		return nil, fmt.Errorf("jump table: %w", err)
	}
	return m, nil
}
