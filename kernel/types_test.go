package kernel

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

var u32 = &btf.Int{Name: "unsigned int", Size: 4}

func structOf(name string, size uint32, members ...string) *btf.Struct {
	s := &btf.Struct{Name: name, Size: size}
	for i, m := range members {
		s.Members = append(s.Members, btf.Member{Name: m, Type: u32, Offset: btf.Bits(32 * i)})
	}
	return s
}

func typesOf(t *testing.T, types ...btf.Type) *Types {
	t.Helper()
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := b.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return TypesOf(spec)
}

func TestProgTypes(t *testing.T) {
	types := typesOf(t, &btf.Enum{Name: "bpf_prog_type", Size: 4, Values: []btf.EnumValue{
		{Name: "BPF_PROG_TYPE_UNSPEC", Value: 0}, {Name: "BPF_PROG_TYPE_SOCKET_FILTER", Value: 1}, {Name: "__MAX_BPF_PROG_TYPE", Value: 2},
	}}).ProgTypes()
	if len(types) != 2 || types[0] != "unspec" || types[1] != "socket_filter" {
		t.Errorf("got %v", types)
	}
	if none := typesOf(t, u32).ProgTypes(); len(none) != 0 {
		t.Errorf("without the enum: %v", none)
	}
}

func TestSize(t *testing.T) {
	types := typesOf(t, structOf("bpf_func_state", 1280))
	if size, ok := types.Size("bpf_func_state").Get(); !ok || size != 1280 {
		t.Errorf("%d, %v", size, ok)
	}
	if size := types.Size("bpf_scc_backedge"); !size.IsAbsent() {
		t.Errorf("%+v, want absent", size)
	}
	twice := typesOf(t, structOf("state", 8), structOf("state", 16))
	if size := twice.Size("state"); !size.IsUnknown() {
		t.Errorf("%+v of two structs, want unknown", size)
	}
}

func TestMembersAndFunctions(t *testing.T) {
	inner := &btf.Union{Size: 8, Members: []btf.Member{{Name: "first", Type: u32}, {Type: structOf("", 8, "low", "high")}}}
	types := typesOf(t,
		&btf.Struct{Name: "outer", Size: 16, Members: []btf.Member{{Name: "named", Type: u32}, {Type: inner, Offset: 64}}},
		&btf.Func{Name: "kfree", Type: &btf.FuncProto{Return: (*btf.Void)(nil)}},
		&btf.Typedef{Name: "btf_trace_kmalloc", Type: u32},
	)
	for member, want := range map[string]bool{"named": true, "first": true, "high": true, "other": false} {
		if types.HasMember("outer", member) != want {
			t.Errorf("member %q: %v", member, !want)
		}
	}
	if types.HasMember("none", "named") {
		t.Error("a struct that is not there has a member")
	}
	if !types.HasFunction("kfree") || types.HasFunction("kmalloc") || !types.HasTracepoint("kmalloc") || types.HasTracepoint("kfree") {
		t.Error("functions and tracepoints are mixed up")
	}
}
