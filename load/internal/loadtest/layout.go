package loadtest

import (
	"reflect"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// KernelBTF returns the BTF of the running kernel. It skips the test where there is none.
func KernelBTF(t *testing.T) *btf.Spec {
	t.Helper()
	types, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skip(err)
	}
	return types
}

// AttrWith returns the structure of union bpf_attr that has such a member.
func AttrWith(t *testing.T, types *btf.Spec, member string) *btf.Struct {
	t.Helper()
	var attr *btf.Union
	if err := types.TypeByName("bpf_attr", &attr); err != nil {
		t.Fatal(err)
	}
	for _, m := range attr.Members {
		if s, ok := m.Type.(*btf.Struct); ok && MemberNamed(s, member) != nil {
			return s
		}
	}
	t.Fatalf("no structure of %s has a member %s", attr.Name, member)
	return nil
}

// CheckLayout compares the fields of a structure with the kernel's members, by the
// names that these have in the kernel.
func CheckLayout(t *testing.T, kernel *btf.Struct, ours any, names map[string]string) {
	t.Helper()
	typ := reflect.TypeOf(ours)
	if uint32(typ.Size()) > kernel.Size {
		t.Errorf("%v has %d bytes, the kernel's %d", typ, typ.Size(), kernel.Size)
	}
	fields := 0
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Name == "_" {
			continue
		}
		fields++
		member := MemberNamed(kernel, names[field.Name])
		if member == nil {
			t.Errorf("%v: the kernel's has no %s, which %s is to be", typ, names[field.Name], field.Name)
			continue
		}
		size, err := btf.Sizeof(member.Type)
		if err != nil {
			t.Fatal(err)
		}
		if uintptr(member.Offset.Bytes()) != field.Offset || uintptr(size) != field.Type.Size() {
			t.Errorf("%v: %s has %d bytes at %d, the kernel's %s %d at %d", typ, field.Name,
				field.Type.Size(), field.Offset, member.Name, size, member.Offset.Bytes())
		}
	}
	if fields != len(names) {
		t.Errorf("%v: %d fields, %d names", typ, fields, len(names))
	}
}

// MemberNamed finds a member, those of anonymous unions included; nil if there is none.
func MemberNamed(s *btf.Struct, name string) *btf.Member {
	for _, m := range s.Members {
		if m.Name == name {
			return &m
		}
		if union, ok := m.Type.(*btf.Union); ok && m.Name == "" {
			for _, inner := range union.Members {
				if inner.Name == name {
					inner.Offset += m.Offset
					return &inner
				}
			}
		}
	}
	return nil
}
