package workload

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// nativeEndian is that of all the architectures that are supported.
var nativeEndian = binary.LittleEndian

// Prepared is a program in the form that the kernel takes, with the maps and whatever
// else it refers to. It is safe for concurrent use.
type Prepared struct {
	name   string
	attr   progLoadAttr // all but name and log
	close  func() error
	closed sync.Once
}

// Close closes what Prepare made. No load may be under way, or follow.
func (p *Prepared) Close() (err error) {
	p.closed.Do(func() { err = p.close() })
	return err
}

// extInfos is what the BTF has of a program's functions and lines.
type extInfos struct {
	functions, lines []byte
}

// prepare encodes a generated program, which has neither maps nor relocations.
func prepare(spec *ebpf.ProgramSpec) (*Prepared, error) {
	insns, err := resolveKfuncs(spec.Instructions)
	if err != nil {
		return nil, err
	}
	var types btf.Builder
	infos, err := marshalInfos(insns, &types)
	if err != nil {
		return nil, err
	}
	p := &Prepared{name: spec.Name, close: func() error { return nil }}
	if err := p.encode(spec, insns); err != nil {
		return nil, err
	}
	if !types.Empty() {
		handle, err := btf.NewHandle(&types)
		if err != nil {
			return nil, fmt.Errorf("load function information: %w", err)
		}
		p.addInfos(handle, infos)
		p.close = handle.Close
	}
	return p, nil
}

// encode fills in what the instructions and the spec say.
func (p *Prepared) encode(spec *ebpf.ProgramSpec, insns asm.Instructions) error {
	code, err := encode(insns)
	if err != nil {
		return err
	}
	license, err := unix.BytePtrFromString(spec.License)
	if err != nil {
		return fmt.Errorf("license: %w", err)
	}
	p.attr = progLoadAttr{
		progType:           uint32(spec.Type),
		insnCount:          uint32(len(code) / asm.InstructionSize),
		insns:              unsafe.Pointer(unsafe.SliceData(code)),
		license:            unsafe.Pointer(license),
		kernVersion:        spec.KernelVersion,
		progFlags:          spec.Flags,
		progIfindex:        spec.Ifindex,
		expectedAttachType: uint32(spec.AttachType),
	}
	return nil
}

func encode(insns asm.Instructions) ([]byte, error) {
	code := bytes.NewBuffer(make([]byte, 0, insns.Size()))
	if err := insns.Marshal(code, nativeEndian); err != nil {
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
			nativeEndian.PutUint16(code[iter.Offset.Bytes()+2:], uint16(iter.Ins.Offset))
		}
	}
}

// marshalInfos encodes what the instructions have of functions and lines, and adds
// what that refers to to the types.
func marshalInfos(insns asm.Instructions, types *btf.Builder) (extInfos, error) {
	functions, lines, err := btf.MarshalExtInfos(insns, types)
	if err != nil {
		return extInfos{}, fmt.Errorf("encode function information: %w", err)
	}
	return extInfos{functions, lines}, nil
}

// addInfos adds the functions and lines of a program, and its types.
func (p *Prepared) addInfos(types *btf.Handle, infos extInfos) {
	p.attr.progBTF = uint32(types.FD())
	p.attr.funcInfoSize = btf.FuncInfoSize
	p.attr.funcInfo = unsafe.Pointer(unsafe.SliceData(infos.functions))
	p.attr.funcInfoCount = uint32(len(infos.functions)) / btf.FuncInfoSize
	p.attr.lineInfoSize = btf.LineInfoSize
	p.attr.lineInfo = unsafe.Pointer(unsafe.SliceData(infos.lines))
	p.attr.lineInfoCount = uint32(len(infos.lines)) / btf.LineInfoSize
}
