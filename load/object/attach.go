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

// attach sets the target of a program: a type of the kernel's BTF, or of the BTF of a
// module, which the caller closes.
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

// attachTo finds a function, or the type of a tracepoint, by the name that follows the
// section's slash: name or module:name.
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

func setTarget[T btf.Type](target kernel.Found[T], attr *load.Attr) error {
	var err error
	attr.AttachTo = target.ID
	attr.AttachModule, err = target.Open()
	return err
}

// attachUSDT makes a program one for many uprobes if the kernel has those (6.6, 89ae89f53d20
// "bpf: Add multi uprobe link"), as libbpf does.
func attachUSDT(attr *load.Attr) error {
	running, err := kernel.RunningVersion()
	if err == nil && running.AtLeast(kernel.Version{Major: 6, Minor: 6}) {
		attr.AttachType = ebpf.AttachTraceUprobeMulti
	}
	return err
}

// attachMulti sets the module of a program whose section names functions as module:pattern.
func attachMulti(name string, attr *load.Attr) error {
	name, _, found := strings.Cut(name, ":")
	if !found {
		return nil
	}
	var err error
	attr.AttachModule, err = kernel.OpenModule(name)
	return err
}
