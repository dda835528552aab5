package object

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
)

// errNoKernelTypes is returned on a kernel without BTF.
var errNoKernelTypes = errors.New("the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)")

// What objects ask of the running kernel. Tests put another in its place.
var (
	// kernelTypes reads the types of the kernel and its modules once, for all objects.
	kernelTypes   = sync.OnceValues(kernel.ReadTypes)
	kernelSymbols = kernel.FindSymbols
	kernelConfig  = kernel.ReadConfig
)

// findInKernel is kernel.Find on the running kernel.
func findInKernel[T btf.Type](name, module string) (kernel.Found[T], error) {
	types, err := kernelTypes()
	if err != nil {
		return kernel.Found[T]{}, fmt.Errorf("%w: %w", errNoKernelTypes, err)
	}
	return kernel.Find[T](types, name, module)
}

// relocationTargets returns the types that CO-RE relocates against: the kernel's and those
// of its modules.
func relocationTargets() ([]*btf.Spec, error) {
	types, err := kernelTypes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKernelTypes, err)
	}
	return types.WithModules()
}
