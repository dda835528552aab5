package kernel

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf/btf"
)

// Found is a type of the kernel, or of a module.
type Found[T btf.Type] struct {
	Type   T
	ID     btf.TypeID
	Module string // empty: the kernel itself
}

// Open returns the module's BTF, which the caller closes; nil for a type of the kernel.
func (f Found[T]) Open() (*btf.Handle, error) {
	if f.Module == "" {
		return nil, nil
	}
	return OpenModule(f.Module)
}

// OpenModule returns the BTF of a loaded module, which the caller closes. It takes
// CAP_SYS_ADMIN.
func OpenModule(name string) (*btf.Handle, error) {
	handle, err := btf.FindHandle(func(i *btf.HandleInfo) bool { return i.IsModule() && i.Name == name })
	if err != nil {
		return nil, fmt.Errorf("BTF of module %s: %w", name, err)
	}
	return handle, nil
}

// Find finds a type by kind and name in the kernel and its modules, or in one module
// alone. The error is btf.ErrNotFound if there is none. Of several types
// of one name it returns the first, as libbpf does.
func Find[T btf.Type](types *Types, name, module string) (Found[T], error) {
	if module == "" || module == "vmlinux" {
		found, err := findIn[T](types.spec, name)
		if !errors.Is(err, btf.ErrNotFound) {
			return found, err
		}
	}
	modules, err := types.modules()
	if err != nil {
		return Found[T]{}, err
	}
	for _, m := range modules {
		if module != "" && module != m {
			continue
		}
		spec, err := types.module(m)
		if err != nil {
			return Found[T]{}, err
		}
		found, err := findIn[T](spec, name)
		if errors.Is(err, btf.ErrNotFound) {
			continue
		}
		found.Module = m
		return found, err
	}
	return Found[T]{}, fmt.Errorf("this kernel has no %s: %w", name, btf.ErrNotFound)
}

func findIn[T btf.Type](types *btf.Spec, name string) (Found[T], error) {
	var first Found[T]
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
		if first.ID == 0 || id < first.ID {
			first.Type, first.ID = t, id
		}
	}
	if first.ID == 0 {
		return first, btf.ErrNotFound
	}
	return first, nil
}

// WithModules returns the types of the kernel and then of each loaded module.
func (t *Types) WithModules() ([]*btf.Spec, error) {
	all := []*btf.Spec{t.spec}
	modules, err := t.modules()
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		spec, err := t.module(m)
		if err != nil {
			return nil, err
		}
		all = append(all, spec)
	}
	return all, nil
}

// modules returns the names of the loaded modules with BTF; none on a kernel without
// CONFIG_DEBUG_INFO_BTF_MODULES.
func (t *Types) modules() ([]string, error) {
	modules, err := t.cache.Modules()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return modules, err
}

func (t *Types) module(name string) (*btf.Spec, error) {
	spec, err := t.cache.Module(name)
	if err != nil {
		return nil, fmt.Errorf("BTF of module %s: %w", name, err)
	}
	return spec, nil
}
