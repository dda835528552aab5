package tracer

import (
	"slices"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestUnseenLoads(t *testing.T) {
	hook := func(state record.HookState, means record.Means, name string) record.Hook {
		return record.Hook{Name: name, State: state, Targets: []record.Target{{Means: means, Name: name}}}
	}
	function := hook(record.HookAttached, record.MeansFentry, "__sys_bpf")
	refused := hook(record.HookRefused, record.MeansFentry, "__sys_bpf")
	entry := hook(record.HookAttached, record.MeansRawTracepoint, "sys_enter")
	native := hook(record.HookAttached, record.MeansTracepoint, "sys_enter_bpf")
	check := hook(record.HookAttached, record.MeansKprobe, "bpf_check")
	for _, c := range []struct {
		name  string
		hooks []record.Hook
		want  []record.LoadClass
	}{
		{"all", []record.Hook{native, function, check}, nil},
		{"no kprobe", []record.Hook{native, function}, nil},
		{"no fentry", []record.Hook{native, refused, entry, check}, nil},
		{"neither", []record.Hook{native, refused, entry}, []record.LoadClass{record.LoadsOfKernel}},
		{"not by raw tracepoints either", []record.Hook{native, refused, check}, []record.LoadClass{record.LoadsOf32Bit}},
		{"the system call alone", []record.Hook{native}, record.LoadClasses},
	} {
		got := unseenLoads(c.hooks)
		if !slices.Equal(got, c.want) || got == nil {
			t.Errorf("%s: %#v, want %v", c.name, got, c.want)
		}
	}
}
