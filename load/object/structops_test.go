package object

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// bitFields is struct { u8 a, b, c; unsigned f:1; }: 4 bytes, in the last of which a bit
// field of a type of 4 bytes begins.
func bitFields() *btf.Struct {
	char, unsigned := &btf.Int{Name: "unsigned char", Size: 1}, &btf.Int{Name: "unsigned int", Size: 4}
	return &btf.Struct{Name: "ops", Size: 4, Members: []btf.Member{
		{Name: "a", Type: char},
		{Name: "b", Type: char, Offset: 8},
		{Name: "c", Type: char, Offset: 16},
		{Name: "f", Type: unsigned, Offset: 24, BitfieldSize: 1},
	}}
}

// A bit field has the bytes that hold a bit of it, whatever its type has.
func TestBitFields(t *testing.T) {
	typ := bitFields()
	if err := checkMembers(typ); err != nil {
		t.Error(err)
	}
	typ.Members[3].Offset, typ.Members[3].BitfieldSize = 25, 8
	const want = "member f has 2 bytes from 3 on, in a structure of 4"
	if err := checkMembers(typ); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// Where a member is a bit field it is that member which cannot be had, and only if it is
// set or if the kernel has it.
func TestKernelMember(t *testing.T) {
	const field = 3
	typ := bitFields()
	without := &btf.Struct{Name: "ops", Size: 3, Members: typ.Members[:field]}
	for _, c := range []struct {
		name   string
		value  string
		member int
		kernel *btf.Struct
		number int
		err    error
		want   string
	}{
		{"a member", "\x01\x00\x00\x00", 1, typ, 1, nil, ""},
		{"a bit field that both have", "\x00\x00\x00\x00", field, typ, 0, ebpf.ErrNotSupported, "a bit field"},
		{"a bit field that is not set", "\x01\x01\x01\x00", field, without, -1, nil, ""},
		{"a bit field that is set", "\x00\x00\x00\x01", field, without, 0, ebpf.ErrNotSupported, "a bit field"},
		{"a member that is set", "\x00\x01\x00\x00", 1, &btf.Struct{Name: "ops"}, 0, nil, "this kernel's ops has none"},
	} {
		ops := structOps{typ: typ, value: []byte(c.value)}
		number, err := kernelMember(ops, c.member, typ.Members[c.member], c.kernel)
		switch {
		case c.want == "" && (err != nil || number != c.number):
			t.Errorf("%s: number %d, error %v, want %d", c.name, number, err, c.number)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || c.err != nil && !errors.Is(err, c.err)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// An object with a bit field at the end of a structure is read: its programs are there.
func TestOpenBitField(t *testing.T) {
	i := newImage(t, "struct_ops-el.elf")
	record := i.btfType(kindStruct, "bpf_testmod_ops")
	const kindFlag = 1 << 31 // offsets have the size of a bit field in their upper 8 bits
	word := binary.LittleEndian.PutUint32
	word(record[4:], binary.LittleEndian.Uint32(record[4:])|kindFlag)
	word(record[12+2*12+8:], 1<<24|23*8) // member data: a bit in the last byte
	obj, err := readObject(i.data)
	if err != nil {
		t.Fatal(err)
	}
	if len(obj.programs) == 0 || len(obj.structOps) != 1 || obj.structOps[0].typ.Members[2].BitfieldSize != 1 {
		t.Errorf("%d programs, structures %v", len(obj.programs), obj.structOps)
	}
}
