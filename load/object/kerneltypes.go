package object

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf/btf"
)

// errNoKernelTypes is returned on a kernel without BTF.
var errNoKernelTypes = errors.New("the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)")

// kernelTypes holds the BTF of the kernel and of its modules, decoded as it is needed.
var kernelTypes = btf.NewCache()

// kernelType is a type of the kernel, or of a module.
type kernelType[T btf.Type] struct {
	typ    T
	id     btf.TypeID
	module string // empty: the kernel itself
}

// open returns the module's BTF, which the caller closes; nil for a type of the kernel.
func (t kernelType[T]) open() (*btf.Handle, error) {
	return openModule(t.module)
}

func openModule(name string) (*btf.Handle, error) {
	if name == "" {
		return nil, nil
	}
	handle, err := btf.FindHandle(func(i *btf.HandleInfo) bool { return i.IsModule() && i.Name == name })
	if err != nil {
		return nil, fmt.Errorf("BTF of module %s: %w", name, err)
	}
	return handle, nil
}

// findInKernel finds a type by kind and name in the kernel and its modules, or in one
// module alone. The error is btf.ErrNotFound if there is none. Of several types of one
// name it returns the first, as libbpf does.
func findInKernel[T btf.Type](name, module string) (kernelType[T], error) {
	kernel, err := kernelTypes.Kernel()
	if err != nil {
		return kernelType[T]{}, fmt.Errorf("%w: %w", errNoKernelTypes, err)
	}
	if module == "" || module == "vmlinux" {
		found, err := findIn[T](kernel, name)
		if !errors.Is(err, btf.ErrNotFound) {
			return found, err
		}
	}
	modules, err := kernelTypes.Modules()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kernelType[T]{}, err
	}
	for _, m := range modules {
		if module != "" && module != m {
			continue
		}
		types, err := kernelTypes.Module(m)
		if err != nil {
			return kernelType[T]{}, fmt.Errorf("BTF of module %s: %w", m, err)
		}
		found, err := findIn[T](types, name)
		if errors.Is(err, btf.ErrNotFound) {
			continue
		}
		found.module = m
		return found, err
	}
	return kernelType[T]{}, fmt.Errorf("this kernel has no %s: %w", name, btf.ErrNotFound)
}

func findIn[T btf.Type](types *btf.Spec, name string) (kernelType[T], error) {
	var first kernelType[T]
	all, err := types.AnyTypesByName(name)
	if err != nil {
		return first, err
	}
	for _, typ := range all {
		t, ok := typ.(T)
		if !ok {
			continue
		}
		id, err := types.TypeID(t)
		if err != nil {
			return first, err
		}
		if first.id == 0 || id < first.id {
			first.typ, first.id = t, id
		}
	}
	if first.id == 0 {
		return first, btf.ErrNotFound
	}
	return first, nil
}

// relocationTargets returns the types that CO-RE relocates against: the kernel's and those
// of its modules.
func relocationTargets() ([]*btf.Spec, error) {
	kernel, err := kernelTypes.Kernel()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKernelTypes, err)
	}
	targets := []*btf.Spec{kernel}
	modules, err := kernelTypes.Modules()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, m := range modules {
		types, err := kernelTypes.Module(m)
		if err != nil {
			return nil, fmt.Errorf("BTF of module %s: %w", m, err)
		}
		targets = append(targets, types)
	}
	return targets, nil
}
