package object

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// contexts are the program and attach types that veristat assumes for a program that
// replaces a function, by the type of the function's argument.
var contexts = map[string]struct {
	program ebpf.ProgramType
	attach  ebpf.AttachType
}{
	"__sk_buff":                {ebpf.SchedCLS, 0},
	"sk_buff":                  {ebpf.SchedCLS, 0},
	"bpf_sock":                 {ebpf.CGroupSock, ebpf.AttachCGroupInet4PostBind},
	"sock":                     {ebpf.CGroupSock, ebpf.AttachCGroupInet4PostBind},
	"bpf_sock_addr":            {ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Bind},
	"bpf_sock_addr_kern":       {ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Bind},
	"bpf_sock_ops":             {ebpf.SockOps, ebpf.AttachCGroupSockOps},
	"bpf_sock_ops_kern":        {ebpf.SockOps, ebpf.AttachCGroupSockOps},
	"sk_msg_md":                {ebpf.SkMsg, ebpf.AttachSkMsgVerdict},
	"sk_msg":                   {ebpf.SkMsg, ebpf.AttachSkMsgVerdict},
	"bpf_cgroup_dev_ctx":       {ebpf.CGroupDevice, ebpf.AttachCGroupDevice},
	"bpf_sysctl":               {ebpf.CGroupSysctl, ebpf.AttachCGroupSysctl},
	"bpf_sysctl_kern":          {ebpf.CGroupSysctl, ebpf.AttachCGroupSysctl},
	"bpf_sockopt":              {ebpf.CGroupSockopt, ebpf.AttachCGroupSetsockopt},
	"bpf_sockopt_kern":         {ebpf.CGroupSockopt, ebpf.AttachCGroupSetsockopt},
	"sk_reuseport_md":          {ebpf.SkReuseport, ebpf.AttachSkReuseportSelectOrMigrate},
	"sk_reuseport_kern":        {ebpf.SkReuseport, ebpf.AttachSkReuseportSelectOrMigrate},
	"bpf_sk_lookup":            {ebpf.SkLookup, ebpf.AttachSkLookup},
	"bpf_sk_lookup_kern":       {ebpf.SkLookup, ebpf.AttachSkLookup},
	"xdp_md":                   {ebpf.XDP, ebpf.AttachXDP},
	"xdp_buff":                 {ebpf.XDP, ebpf.AttachXDP},
	"bpf_user_pt_regs_t":       {ebpf.Kprobe, 0},
	"pt_regs":                  {ebpf.Kprobe, 0},
	"bpf_perf_event_data":      {ebpf.PerfEvent, 0},
	"bpf_perf_event_data_kern": {ebpf.PerfEvent, 0},
	"bpf_raw_tracepoint_args":  {ebpf.RawTracepoint, 0},
}

// guessExtension turns a program that replaces a function of another program into one that
// can be loaded on its own, of the type that fits its argument. veristat does the same.
func guessExtension(spec *ebpf.ProgramSpec, types *btf.Spec) {
	if spec.Type != ebpf.Extension || types == nil {
		return
	}
	var function *btf.Func
	if types.TypeByName(spec.Name, &function) != nil {
		return
	}
	proto, ok := function.Type.(*btf.FuncProto)
	if !ok || len(proto.Params) != 1 {
		return
	}
	pointer, ok := btf.QualifiedType(proto.Params[0].Type).(*btf.Pointer)
	if !ok {
		return
	}
	if guess, ok := contexts[withoutQualifiers(pointer.Target).TypeName()]; ok {
		spec.Type, spec.AttachType, spec.AttachTo = guess.program, guess.attach, ""
	}
}

// withoutQualifiers strips const, volatile, restrict and tags, but not typedefs. Of more
// than maxDepth of them, such as those of a type that refers to itself, some remain.
func withoutQualifiers(typ btf.Type) btf.Type {
	for range maxDepth {
		switch t := typ.(type) {
		case *btf.Const:
			typ = t.Type
		case *btf.Volatile:
			typ = t.Type
		case *btf.Restrict:
			typ = t.Type
		case *btf.TypeTag:
			typ = t.Type
		default:
			return typ
		}
	}
	return typ
}
