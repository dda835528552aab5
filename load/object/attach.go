package object

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

// attach fills in what a program is to be attached to: a type of the kernel's BTF, or of
// that of a module, which the caller closes.
func (l *loadedObject) attach(spec *ebpf.ProgramSpec, attr *load.Attr) error {
	section, name, named := strings.Cut(strings.TrimPrefix(spec.SectionName, "?"), "/")
	if strings.HasPrefix(section, "usdt") {
		return attachUSDT(attr)
	}
	switch spec.Type {
	case ebpf.StructOps:
		m, ok := l.opsMembers[spec.Name]
		if !ok {
			return errors.New("no struct_ops variable refers to it")
		}
		attr.AttachType = ebpf.AttachType(m.number)
		return setTarget(m.ops, attr)
	case ebpf.Extension:
		return errors.New("the program that it replaces a function of is not known, and no program type goes with its argument")
	case ebpf.Tracing, ebpf.LSM:
		if isMulti(spec.AttachType) {
			return attachMulti(name, attr)
		}
		if !named {
			return fmt.Errorf("section %q names nothing to attach to", spec.SectionName)
		}
		return attachTo(name, spec, attr)
	}
	return nil
}

// attachTo finds a function, or what stands for a tracepoint, by the name that follows
// the section's slash: name or module:name.
func attachTo(name string, spec *ebpf.ProgramSpec, attr *load.Attr) error {
	module, function, found := strings.Cut(name, ":")
	if !found {
		module, function = "", name
	}
	if spec.AttachType == ebpf.AttachTraceRawTp {
		target, err := findInKernel[*btf.Typedef]("btf_trace_"+function, module)
		if err != nil {
			return fmt.Errorf("attach target %s: %w", name, err)
		}
		return setTarget(target, attr)
	}
	switch spec.AttachType {
	case ebpf.AttachLSMMac, ebpf.AttachLSMCgroup:
		function = "bpf_lsm_" + function
	case ebpf.AttachTraceIter:
		function = "bpf_iter_" + function
	}
	target, err := findInKernel[*btf.Func](function, module)
	if err != nil {
		return fmt.Errorf("attach target %s: %w", name, err)
	}
	return setTarget(target, attr)
}

func setTarget[T btf.Type](target kernelType[T], attr *load.Attr) error {
	var err error
	attr.AttachTo = target.id
	attr.AttachModule, err = target.open()
	return err
}

// attachUSDT makes a program one for many uprobes where the kernel has them (6.6,
// 89ae89f53d20 "bpf: Add multi uprobe link"), as libbpf does.
func attachUSDT(attr *load.Attr) error {
	running, err := kernel.RunningVersion()
	if err == nil && running.AtLeast(kernel.Version{Major: 6, Minor: 6}) {
		attr.AttachType = ebpf.AttachTraceUprobeMulti
	}
	return err
}

// attachMulti names the module whose functions a program is for, in module:pattern.
func attachMulti(name string, attr *load.Attr) error {
	name, _, found := strings.Cut(name, ":")
	if !found {
		return nil
	}
	var err error
	attr.AttachModule, err = openModule(name)
	return err
}

// contexts are the program types, with their attach types, that veristat takes for
// those of a program that replaces a function with such an argument.
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

// guessExtension makes a program that replaces a function of another one a program of
// its own, which can be loaded without that: of the type that goes with its argument,
// as veristat does it.
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

// withoutQualifiers strips const, volatile, restrict and tags, but no typedef.
func withoutQualifiers(typ btf.Type) btf.Type {
	for {
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
}
