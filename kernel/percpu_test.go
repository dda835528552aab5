package kernel

import (
	"cmp"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestPreemptCount(t *testing.T) {
	u64 := &btf.Int{Name: "unsigned long", Size: 8}
	hot := &btf.Struct{Name: "pcpu_hot", Size: 64, Members: []btf.Member{
		{Type: &btf.Union{Size: 64, Members: []btf.Member{
			{Type: structOf("", 16, "current_task", "preempt_count", "cpu_number")},
			{Name: "pad", Type: &btf.Array{Index: u32, Type: u32, Nelems: 16}},
		}}},
	}}
	for _, c := range []struct {
		name      string
		variables []string
		named     string // in BTF; empty: as the last of variables
		typ       btf.Type
		mask      uint32
		offset    uint32
		byStack   bool
		fails     bool
	}{
		{name: "of 32 bits", variables: []string{"__preempt_count"}, typ: u32, mask: interruptMask},
		{name: "of 64 bits", variables: []string{"__preempt_count"}, typ: u64, mask: interruptMaskMoved64},
		{name: "typedef", variables: []string{"__preempt_count"}, typ: &btf.Typedef{Name: "count_t", Type: u64}, mask: interruptMaskMoved64},
		{name: "in pcpu_hot", variables: []string{"pcpu_hot"}, typ: hot, mask: interruptMask, offset: 4},
		{name: "struct without", variables: []string{"pcpu_hot"}, typ: structOf("pcpu_hot", 8, "other", "another"), fails: true},
		{name: "not in BTF", variables: []string{"pcpu_hot"}, named: "other", typ: u32, fails: true},
		{name: "beside another", variables: []string{"bpf_prog_active", "__preempt_count"}, typ: u32, mask: interruptMask},
		{name: "not in kallsyms", typ: u32, mask: interruptMask, byStack: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := cmp.Or(c.named, "__preempt_count")
			if n := len(c.variables); n > 0 && c.named == "" {
				name = c.variables[n-1]
			}
			p := PreemptCount{InterruptMask: interruptMask}
			types := typesOf(t, &btf.Var{Name: name, Type: c.typ, Linkage: btf.GlobalVar})
			err := p.find(types, &Symbols{variables: c.variables})
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			id, ok := p.Variable.Get()
			if p.InterruptMask != c.mask || p.Offset != c.offset || p.Variable.IsUnknown() != c.byStack || (id == 0) != c.byStack || ok == c.byStack {
				t.Errorf("%+v", p)
			}
		})
	}
}

// From 7.3 on the bits are elsewhere, whatever the variable is.
func TestInterruptMask(t *testing.T) {
	for version, want := range map[Version]uint32{
		{6, 1, 192}: interruptMask, {7, 2, 13}: interruptMask, {7, 3, 0}: interruptMaskMoved, {8, 0, 0}: interruptMaskMoved,
	} {
		p, err := ReadPreemptCount(version, typesOf(t, u32), &Symbols{})
		if err != nil || p.InterruptMask != want {
			t.Errorf("%v: %+v, error %v, want mask %#x", version, p, err, want)
		}
		if p.Variable.IsAbsent() != (runtime.GOARCH != "amd64") {
			t.Errorf("on %s: %v", runtime.GOARCH, p.Variable.Why())
		}
	}
}

func TestProgActive(t *testing.T) {
	types := typesOf(t, &btf.Var{Name: "bpf_prog_active", Type: u32, Linkage: btf.GlobalVar})
	if id, ok := ProgActive(types, &Symbols{variables: []string{"bpf_prog_active"}}).Get(); !ok || id == 0 {
		t.Errorf("id %d, %v", id, ok)
	}
	for name, fact := range map[string]Fact[btf.TypeID]{
		"kallsyms": ProgActive(types, &Symbols{}),
		"BTF":      ProgActive(typesOf(t, u32), &Symbols{variables: []string{"bpf_prog_active"}}),
	} {
		if !fact.IsUnknown() || !strings.Contains(fact.Why().Error(), "bpf_prog_active") {
			t.Errorf("not in %s: %+v", name, fact)
		}
	}
}
