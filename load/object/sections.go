package object

import (
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// plainSections are the names of program sections that nothing may follow.
var plainSections = strings.Fields(`
socket sk_reuseport sk_reuseport/migrate
tc tc/ingress tc/egress tcx/ingress tcx/egress classifier action netkit/primary netkit/peer
syscall xdp xdp/devmap xdp/cpumap xdp.frags xdp.frags/devmap xdp.frags/cpumap perf_event
lwt_in lwt_out lwt_xmit lwt_seg6local sockops sk_skb sk_skb/stream_parser sk_skb/stream_verdict
sk_skb/verdict sk_msg lirc_mode2 flow_dissector cgroup_skb/ingress cgroup_skb/egress cgroup/skb
cgroup/sock cgroup/sock_create cgroup/sock_release cgroup/post_bind4 cgroup/post_bind6
cgroup/bind4 cgroup/bind6 cgroup/connect4 cgroup/connect6 cgroup/connect_unix cgroup/sendmsg4
cgroup/sendmsg6 cgroup/sendmsg_unix cgroup/recvmsg4 cgroup/recvmsg6 cgroup/recvmsg_unix
cgroup/getpeername4 cgroup/getpeername6 cgroup/getpeername_unix cgroup/getsockname4
cgroup/getsockname6 cgroup/getsockname_unix cgroup/sysctl cgroup/getsockopt cgroup/setsockopt
cgroup/dev sk_lookup netfilter`)

// multiSections are the sections of programs that attach to many functions (Linux 7.3),
// with their attach types. The ebpf library does not know them.
var multiSections = map[string]ebpf.AttachType{
	"fentry.multi":   59, // BPF_TRACE_FENTRY_MULTI
	"fexit.multi":    60, // BPF_TRACE_FEXIT_MULTI
	"fsession.multi": 61, // BPF_TRACE_FSESSION_MULTI
}

// setMulti sets the types of a program that attaches to many functions.
func setMulti(spec *ebpf.ProgramSpec) {
	section, _, _ := strings.Cut(strings.TrimPrefix(spec.SectionName, "?"), "/")
	section, sleepable := strings.CutSuffix(section, ".s")
	attach, ok := multiSections[section]
	if !ok {
		return
	}
	spec.Type, spec.AttachType = ebpf.Tracing, attach
	if sleepable {
		spec.Flags |= unix.BPF_F_SLEEPABLE
	}
}

// isMulti reports whether programs of an attach type attach to many functions, which are not
// named before.
func isMulti(attach ebpf.AttachType) bool {
	for _, multi := range multiSections {
		if attach == multi {
			return true
		}
	}
	return false
}

// limitSection makes the type of a program unknown if its section only begins like one that
// libbpf knows. The ebpf library compares the beginning, libbpf from 1.0 on the whole name.
func limitSection(spec *ebpf.ProgramSpec) {
	switch spec.Type {
	case ebpf.Kprobe, ebpf.TracePoint, ebpf.RawTracepoint, ebpf.RawTracepointWritable,
		ebpf.Tracing, ebpf.Extension, ebpf.LSM, ebpf.StructOps:
		return // a target follows the slash of their sections, for the library as well
	}
	if !slices.Contains(plainSections, strings.TrimPrefix(spec.SectionName, "?")) {
		spec.Type, spec.AttachType, spec.AttachTo, spec.Flags = ebpf.UnspecifiedProgram, ebpf.AttachNone, "", 0
	}
}
