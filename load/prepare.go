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

// NativeEndian is the byte order of all supported architectures.
var NativeEndian = binary.LittleEndian

// prepared is a program in the form of BPF_PROG_LOAD's attributes.
type prepared struct {
	name   string
	attr   progLoadAttr // all but name and log
	close  func() error
	closed sync.Once
}

// New returns a program that is ready to be loaded. Its Close calls release once; the
// caller keeps the maps, types and targets that a refers to open until then.
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

// Prepare makes a program ready to be loaded. It takes the name, type, attach type, flags,
// license and instructions of the spec. The instructions must not refer to maps nor need
// CO-RE relocations; they may call kernel functions (kfuncs) by name, with
// [asm.Instruction.WithReference].
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

// AttrOf returns the attributes of a program whose instructions are those of the spec with
// all references resolved. Types, targets and FDs are left for the caller to set.
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

// Encode returns the instructions in the kernel's encoding.
func Encode(insns asm.Instructions) ([]byte, error) {
	code := bytes.NewBuffer(make([]byte, 0, insns.Size()))
	if err := insns.Marshal(code, NativeEndian); err != nil {
		return nil, fmt.Errorf("encode instructions: %w", err)
	}
	restoreOffsets(code.Bytes(), insns)
	return code.Bytes(), nil
}

// restoreOffsets writes the offsets of arithmetic instructions, which ebpf leaves out: the
// offset marks a move that casts between address spaces.
func restoreOffsets(code []byte, insns asm.Instructions) {
	for iter := insns.Iterate(); iter.Next(); {
		if iter.Ins.Offset != 0 && iter.Ins.OpCode.Class().IsALU() {
			NativeEndian.PutUint16(code[iter.Offset.Bytes()+2:], uint16(iter.Ins.Offset))
		}
	}
}

// Infos is the function and line information of a program, encoded.
type Infos struct {
	functions, lines []byte
}

// MarshalInfos encodes the function and line information of the instructions, and adds the
// types that it refers to.
func MarshalInfos(insns asm.Instructions, types *btf.Builder) (Infos, error) {
	functions, lines, err := btf.MarshalExtInfos(insns, types)
	if err != nil {
		return Infos{}, fmt.Errorf("encode function information: %w", err)
	}
	return Infos{functions, lines}, nil
}
