package workload

import (
	"slices"
	"strings"

	"github.com/cilium/ebpf"
)

// plainSections are the names of program sections that may not go on after a slash.
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

// limitSection makes a program one of no known type if its section only begins like one
// that libbpf knows. The library goes by the beginning, libbpf does not since 1.0.
func limitSection(spec *ebpf.ProgramSpec) {
	switch spec.Type {
	case ebpf.Kprobe, ebpf.TracePoint, ebpf.RawTracepoint, ebpf.RawTracepointWritable,
		ebpf.Tracing, ebpf.Extension, ebpf.LSM, ebpf.StructOps:
		return // their sections go on after a slash, and end there for the library, too
	}
	if !slices.Contains(plainSections, strings.TrimPrefix(spec.SectionName, "?")) {
		spec.Type, spec.AttachType, spec.AttachTo, spec.Flags = ebpf.UnspecifiedProgram, ebpf.AttachNone, "", 0
	}
}
