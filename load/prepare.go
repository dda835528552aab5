package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// NativeEndian is the byte order of all the architectures that are supported.
var NativeEndian = binary.LittleEndian

// prepared is a program in the form that the kernel takes.
type prepared struct {
	name   string
	attr   progLoadAttr // all but name and log
	close  func() error
	closed sync.Once
}

// New returns a program that is ready to be loaded. Closing it calls release, once;
// until then the maps, types and targets that a refers to have to stay open.
func New(a Attr, release func() error) (Prepared, error) {
	attr, err := a.encode()
	if err != nil {
		return nil, err
	}
	return &prepared{name: a.Name, attr: attr, close: release}, nil
}

func (p *prepared) Close() (err error) {
	p.closed.Do(func() { err = p.close() })
	return err
}

// Prepare makes a program ready to be loaded that refers to no maps and needs no
// relocation. Calls of kernel functions are by name: see [ebpf.ProgramSpec]'s
// instructions with a reference. Of the spec it takes the name, type, attach type,
// flags, license and instructions.
func Prepare(spec *ebpf.ProgramSpec) (Prepared, error) {
	p, err := prepare(spec)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", spec.Name, err)
	}
	return p, nil
}

func prepare(spec *ebpf.ProgramSpec) (Prepared, error) {
	insns, err := resolveKfuncs(spec.Instructions)
	if err != nil {
		return nil, err
	}
	var types btf.Builder
	infos, err := MarshalInfos(insns, &types)
	if err != nil {
		return nil, err
	}
	attr, err := AttrOf(spec, insns)
	if err != nil {
		return nil, err
	}
	if types.Empty() {
		return New(attr, func() error { return nil })
	}
	attr.Types, err = btf.NewHandle(&types)
	if err != nil {
		return nil, fmt.Errorf("load function information: %w", err)
	}
	attr.Infos = infos
	p, err := New(attr, attr.Types.Close)
	if err != nil {
		attr.Types.Close()
	}
	return p, err
}

// AttrOf returns what the instructions and the spec say. The instructions are those of
// the spec, with all references resolved.
func AttrOf(spec *ebpf.ProgramSpec, insns asm.Instructions) (Attr, error) {
	code, err := Encode(insns)
	return Attr{
		Name:          spec.Name,
		Type:          spec.Type,
		AttachType:    spec.AttachType,
		Insns:         code,
		License:       spec.License,
		KernelVersion: spec.KernelVersion,
		Flags:         spec.Flags,
		Ifindex:       spec.Ifindex,
	}, err
}

// Encode returns the instructions as the kernel takes them.
func Encode(insns asm.Instructions) ([]byte, error) {
	code := bytes.NewBuffer(make([]byte, 0, insns.Size()))
	if err := insns.Marshal(code, NativeEndian); err != nil {
		return nil, fmt.Errorf("encode instructions: %w", err)
	}
	restoreOffsets(code.Bytes(), insns)
	return code.Bytes(), nil
}

// restoreOffsets writes the offsets of arithmetic instructions, which the library
// leaves out: that of a move tells a cast from one address space to another.
func restoreOffsets(code []byte, insns asm.Instructions) {
	for iter := insns.Iterate(); iter.Next(); {
		if iter.Ins.Offset != 0 && iter.Ins.OpCode.Class().IsALU() {
			NativeEndian.PutUint16(code[iter.Offset.Bytes()+2:], uint16(iter.Ins.Offset))
		}
	}
}

// Infos is what BTF has of a program's functions and lines.
type Infos struct {
	functions, lines []byte
}

// MarshalInfos encodes what the instructions have of functions and lines, and adds the
// types that these refer to.
func MarshalInfos(insns asm.Instructions, types *btf.Builder) (Infos, error) {
	functions, lines, err := btf.MarshalExtInfos(insns, types)
	if err != nil {
		return Infos{}, fmt.Errorf("encode function information: %w", err)
	}
	return Infos{functions, lines}, nil
}
