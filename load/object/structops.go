package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
)

// structOps is a variable of the .struct_ops sections of an object.
type structOps struct {
	name     string
	typ      *btf.Struct
	value    []byte
	link     bool           // of section .struct_ops.link
	optional bool           // of a section marked "?": it gets no map
	members  map[int]string // program by the number of its member in typ
}

// member is the member of a structure that a struct_ops program implements.
type member struct {
	ops    kernel.Found[*btf.Struct]
	number int
}

// readStructOps returns the variables of all .struct_ops sections.
func readStructOps(types *btf.Spec, file *elf.File, symbols []elf.Symbol) ([]structOps, error) {
	var all []structOps
	for index, section := range file.Sections {
		name := strings.TrimPrefix(section.Name, "?")
		if section.Type != elf.SHT_PROGBITS || name != structOpsSection && name != structOpsSection+".link" {
			continue
		}
		var vars *btf.Datasec
		if err := types.TypeByName(strings.Replace(section.Name, structOpsSection, hiddenStructOps, 1), &vars); err != nil {
			return nil, fmt.Errorf("section %s: %w", section.Name, err)
		}
		data, err := section.Data()
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", section.Name, err)
		}
		programs, err := references(file, index, symbols)
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", section.Name, err)
		}
		for _, v := range vars.Vars {
			ops, err := readStructOpsVar(v, data, programs)
			if err != nil {
				return nil, fmt.Errorf("section %s: %w", section.Name, err)
			}
			ops.optional = name != section.Name
			ops.link = name != structOpsSection
			all = append(all, ops)
		}
	}
	return all, nil
}

func readStructOpsVar(v btf.VarSecinfo, data []byte, programs map[uint64]string) (structOps, error) {
	variable, ok := v.Type.(*btf.Var)
	if !ok {
		return structOps{}, fmt.Errorf("%s is no variable", v.Type.TypeName())
	}
	typ, ok := btf.As[*btf.Struct](variable.Type)
	if !ok || uint64(v.Offset)+uint64(typ.Size) > uint64(len(data)) {
		return structOps{}, fmt.Errorf("%s is no structure within the section", variable.Name)
	}
	if err := checkMembers(typ); err != nil {
		return structOps{}, fmt.Errorf("%s: %w", variable.Name, err)
	}
	ops := structOps{
		name:    variable.Name,
		typ:     typ,
		value:   data[v.Offset : v.Offset+typ.Size],
		members: make(map[int]string),
	}
	for n, m := range typ.Members {
		if program, ok := programs[uint64(v.Offset+m.Offset.Bytes())]; ok {
			ops.members[n] = program
		}
	}
	return ops, nil
}

// checkMembers checks that the members of a structure are within it: nothing else keeps
// those who read a variable by its members within the variable.
func checkMembers(typ *btf.Struct) error {
	for _, m := range typ.Members {
		start, end, err := extent(m)
		if err != nil {
			return fmt.Errorf("member %s: %w", m.Name, err)
		}
		if end > uint64(typ.Size) {
			return fmt.Errorf("member %s has %d bytes from %d on, in a structure of %d", m.Name, end-start, start, typ.Size)
		}
	}
	return nil
}

// extent returns the bytes of a structure that hold something of a member, from start to
// before end. Those of a bit field are not those of its type, which may be larger than the
// structure.
func extent(m btf.Member) (start, end uint64, err error) {
	start = uint64(m.Offset.Bytes())
	if m.BitfieldSize > 0 {
		return start, (uint64(m.Offset) + uint64(m.BitfieldSize) + 7) / 8, nil
	}
	size, err := btf.Sizeof(m.Type)
	return start, start + uint64(size), err
}

// references returns the symbols that a section refers to, by the offset of the reference.
func references(file *elf.File, index int, symbols []elf.Symbol) (map[uint64]string, error) {
	found := make(map[uint64]string)
	for _, section := range file.Sections {
		if section.Type != elf.SHT_REL || int(section.Info) != index {
			continue
		}
		data, err := section.Data()
		if err != nil {
			return nil, err
		}
		records := make([]elf.Rel64, len(data)/16)
		if err := binary.Read(bytes.NewReader(data), file.ByteOrder, records); err != nil {
			return nil, err
		}
		for _, r := range records {
			// debug/elf leaves out the null symbol, which is the first.
			n := int64(elf.R_SYM64(r.Info)) - 1
			if n < 0 || n >= int64(len(symbols)) {
				return nil, fmt.Errorf("a reference to symbol %d, of %d", n+1, len(symbols))
			}
			found[r.Off] = symbols[n].Name
		}
	}
	return found, nil
}

// resolveStructOps finds the kernel's types of all variables, and the members that
// programs implement. It returns the value types by variable and the members by program.
func resolveStructOps(all []structOps) (map[string]kernel.Found[*btf.Struct], map[string]member, error) {
	values, members := make(map[string]kernel.Found[*btf.Struct]), make(map[string]member)
	for _, ops := range all {
		if ops.optional {
			continue
		}
		name := essentialName(ops.typ.Name)
		value, err := findInKernel[*btf.Struct]("bpf_struct_ops_"+name, "")
		if err != nil {
			return nil, nil, fmt.Errorf("struct_ops %s: %w", ops.name, err)
		}
		// Both are in the same BTF, the kernel's or a module's.
		ours, err := findInKernel[*btf.Struct](name, value.Module)
		if err != nil {
			return nil, nil, fmt.Errorf("struct_ops %s: %w", ops.name, err)
		}
		values[ops.name] = value
		for n, m := range ops.typ.Members {
			number, err := kernelMember(ops, n, m, ours.Type)
			if err != nil {
				return nil, nil, fmt.Errorf("struct_ops %s: member %s: %w", ops.name, m.Name, err)
			}
			if program := ops.members[n]; program != "" && number >= 0 {
				members[program] = member{ours, number}
			}
		}
	}
	return values, members, nil
}

// kernelMember returns the number of a member in the kernel's type; -1 if the kernel does
// not have the member and the variable does not set it.
func kernelMember(ops structOps, n int, m btf.Member, kernel *btf.Struct) (int, error) {
	start, end, err := extent(m)
	if err != nil {
		return 0, err
	}
	for number, k := range kernel.Members {
		if k.Name != m.Name {
			continue
		}
		if m.BitfieldSize != 0 || k.BitfieldSize != 0 {
			return 0, errBitField
		}
		want, err := btf.Sizeof(k.Type)
		if err != nil {
			return 0, err
		}
		if uint64(want) != end-start {
			return 0, fmt.Errorf("it has %d bytes here and %d in this kernel", end-start, want)
		}
		return number, nil
	}
	switch zero := len(bytes.Trim(ops.value[start:end], "\x00")) == 0; {
	case zero:
		return -1, nil
	case m.BitfieldSize != 0: // the bits that are set may be those of a neighbour
		return 0, errBitField
	}
	return 0, fmt.Errorf("this kernel's %s has none", kernel.Name)
}

var errBitField = fmt.Errorf("a bit field: %w", ebpf.ErrNotSupported)

// mapTypeOfModule is BPF_F_VTYPE_BTF_OBJ_FD.
const mapTypeOfModule = 1 << 15

// create makes the map of a variable.
func (s structOps) create(value kernel.Found[*btf.Struct], handle *btf.Handle) (*ebpf.Map, error) {
	attr := mapAttr{
		mapType:            uint32(ebpf.StructOpsMap),
		keySize:            4,
		valueSize:          value.Type.Size,
		maxEntries:         1,
		btfFD:              uint32(handle.FD()),
		vmlinuxValueTypeID: uint32(value.ID),
	}
	copy(attr.mapName[:unix.BPF_OBJ_NAME_LEN-1], s.name)
	if s.link {
		attr.mapFlags |= unix.BPF_F_LINK
	}
	module, err := value.Open()
	if err != nil {
		return nil, err
	}
	if module != nil {
		defer module.Close()
		attr.mapFlags |= mapTypeOfModule
		attr.valueTypeBTFObjFD = int32(module.FD())
	}
	return attr.create()
}
