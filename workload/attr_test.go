package workload

import (
	"reflect"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// TestAttrLayout compares the attributes with the kernel's own, by its BTF.
func TestAttrLayout(t *testing.T) {
	var attr *btf.Union
	var info *btf.Struct
	types := kernelBTF(t)
	if err := types.TypeByName("bpf_attr", &attr); err != nil {
		t.Fatal(err)
	}
	if err := types.TypeByName("bpf_prog_info", &info); err != nil {
		t.Fatal(err)
	}
	check := func(kernel *btf.Struct, ours any, names map[string]string) {
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
			member := memberNamed(kernel, names[field.Name])
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
	check(structWith(t, attr, "prog_type"), progLoadAttr{}, map[string]string{
		"progType": "prog_type", "insnCount": "insn_cnt", "insns": "insns", "license": "license",
		"logLevel": "log_level", "logSize": "log_size", "log": "log_buf", "kernVersion": "kern_version",
		"progFlags": "prog_flags", "progName": "prog_name", "progIfindex": "prog_ifindex",
		"expectedAttachType": "expected_attach_type", "progBTF": "prog_btf_fd",
		"funcInfoSize": "func_info_rec_size", "funcInfo": "func_info", "funcInfoCount": "func_info_cnt",
		"lineInfoSize": "line_info_rec_size", "lineInfo": "line_info", "lineInfoCount": "line_info_cnt",
		"attachBTFID": "attach_btf_id", "attachBTFObjFD": "attach_btf_obj_fd", "fdArray": "fd_array",
	})
	check(info, progInfo{}, map[string]string{"jitedLen": "jited_prog_len"})

	names := map[string]string{
		"mapType": "map_type", "keySize": "key_size", "valueSize": "value_size", "maxEntries": "max_entries",
		"mapFlags": "map_flags", "innerMapFD": "inner_map_fd", "numaNode": "numa_node", "mapName": "map_name",
		"btfFD": "btf_fd", "btfKeyTypeID": "btf_key_type_id", "btfValueTypeID": "btf_value_type_id",
		"vmlinuxValueTypeID": "btf_vmlinux_value_type_id", "mapExtra": "map_extra",
		"valueTypeBTFObjFD": "value_type_btf_obj_fd",
	}
	maps := structWith(t, attr, "map_type")
	// Before 6.9 they end earlier, and the kernel takes the rest if it is zero.
	if memberNamed(maps, "value_type_btf_obj_fd") != nil {
		check(maps, mapAttr{}, names)
	}
}

// kernelBTF is the BTF of a kernel that has it.
func kernelBTF(t *testing.T) *btf.Spec {
	t.Helper()
	types, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skip(err)
	}
	return types
}

// structWith is the structure in the union that has such a member.
func structWith(t *testing.T, union *btf.Union, name string) *btf.Struct {
	t.Helper()
	for _, m := range union.Members {
		if s, ok := m.Type.(*btf.Struct); ok && memberNamed(s, name) != nil {
			return s
		}
	}
	t.Fatalf("no structure of %s has a member %s", union.Name, name)
	return nil
}

// memberNamed finds a member, those of anonymous unions included.
func memberNamed(s *btf.Struct, name string) *btf.Member {
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
