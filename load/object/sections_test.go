package object

import (
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestSections(t *testing.T) {
	for _, tt := range []struct {
		section, typ, attach string
		flags                uint32
	}{
		{"fentry.multi", "tracing", "trace_fentry_multi", 0},
		{"?fexit.multi.s/a*", "tracing", "trace_fexit_multi", unix.BPF_F_SLEEPABLE},
		{"fsession.multi/module:a*", "tracing", "trace_fsession_multi", 0},
		{"fentry.multiple", "unspec", "cgroup_inet_ingress", 0},
	} {
		spec := &ebpf.ProgramSpec{SectionName: tt.section}
		limitSection(spec)
		setMulti(spec)
		if typ, attach := record.ProgramTypeName(uint32(spec.Type)), record.AttachTypeName(uint32(spec.AttachType)); typ != tt.typ || attach != tt.attach || spec.Flags != tt.flags {
			t.Errorf("%s: %s, %s, flags %#x", tt.section, typ, attach, spec.Flags)
		}
	}
	for section, known := range map[string]bool{"socket": true, "?xdp": true, "socket/tail": false, "xdp2": false} {
		spec := &ebpf.ProgramSpec{SectionName: section, Type: ebpf.XDP, AttachType: ebpf.AttachXDP}
		limitSection(spec)
		if (spec.Type == ebpf.XDP) != known {
			t.Errorf("%s: %v", section, spec.Type)
		}
	}
}
