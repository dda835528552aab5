package kernel

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// preemptCountVariables are the per-CPU variables that hold preempt_count on x86: it was a
// member of pcpu_hot from 6.2 (64701838bf05) to 6.14, and has been a variable of its own
// again since 6.15 (46e8fff6d45f).
var preemptCountVariables = []string{"__preempt_count", "pcpu_hot"}

// progActiveVariable is what bpf(2) raises while it updates a map: the kernel then skips
// the programs of classic tracepoints and kprobes on that CPU.
const progActiveVariable = "bpf_prog_active"

// perCPUVariables are all that Symbols keeps.
var perCPUVariables = append([]string{progActiveVariable}, preemptCountVariables...)

// perCPUVariable looks up a per-CPU variable, with the BTF id by which a program can refer
// to it.
func perCPUVariable(name string, types *Types) (*btf.Var, btf.TypeID, error) {
	var variable *btf.Var
	if err := types.find(name, &variable); err != nil {
		return nil, 0, fmt.Errorf("per-CPU variable %s: %w", name, err)
	}
	id, err := types.spec.TypeID(variable)
	if err != nil {
		return nil, 0, fmt.Errorf("per-CPU variable %s: %w", name, err)
	}
	return variable, id, nil
}

// ProgActive returns the BTF id by which a program can refer to bpf_prog_active. The
// verifier finds the address by name, so the id is unknown without a symbol: a kernel
// without CONFIG_KALLSYMS_ALL has the variable, but no symbols of data.
func ProgActive(types *Types, symbols *Symbols) Fact[btf.TypeID] {
	if !slices.Contains(symbols.variables, progActiveVariable) {
		return Unknown[btf.TypeID](fmt.Errorf("/proc/kallsyms does not name %s", progActiveVariable))
	}
	_, id, err := perCPUVariable(progActiveVariable, types)
	if err != nil {
		return Unknown[btf.TypeID](err)
	}
	return Known(id)
}

// PerCPUOffsets returns the address of the array that holds, for each CPU, what to add to
// the address of a per-CPU variable. It takes a kernel for several CPUs (CONFIG_SMP) whose
// symbols have data among them.
func PerCPUOffsets() Fact[uint64] {
	const name = "__per_cpu_offset"
	found, err := FindSymbols(name)
	if err != nil {
		return Unknown[uint64](err)
	}
	return found[name]
}

// PreemptCount says where preempt_count of the current CPU or task is, and which of its
// bits show that an interrupt is served.
type PreemptCount struct {
	// Variable is the per-CPU variable that holds it. It is absent where preempt_count is
	// a member of the task's thread_info, and unknown where the kernel cannot name it.
	Variable      Fact[btf.TypeID]
	Offset        uint32 // in the variable, in bytes
	InterruptMask uint32
}

// SOFTIRQ_OFFSET, HARDIRQ_MASK and NMI_MASK of include/linux/preempt.h.
const (
	interruptMask = 0x00ff0100
	// From 7.3 bits 16 to 23 count local_interrupt_disable() calls and the two masks sit
	// above: NMI_BITS is 1, and 4 where the count is 64 bits wide.
	interruptMaskMoved   = 0x1f000100
	interruptMaskMoved64 = 0xff000100
)

// ReadPreemptCount looks preempt_count up. It fails if the kernel names the variable and
// its BTF does not describe it.
func ReadPreemptCount(version Version, types *Types, symbols *Symbols) (PreemptCount, error) {
	p := PreemptCount{InterruptMask: interruptMask}
	if version.AtLeast(Version{Major: 7, Minor: 3}) {
		p.InterruptMask = interruptMaskMoved
	}
	if runtime.GOARCH != "amd64" {
		p.Variable = Absent[btf.TypeID](fmt.Errorf("preempt_count is a member of thread_info on %s", runtime.GOARCH))
		return p, nil
	}
	err := p.find(types, symbols)
	return p, err
}

// find looks up the per-CPU variable of x86.
func (p *PreemptCount) find(types *Types, symbols *Symbols) error {
	i := slices.IndexFunc(preemptCountVariables, func(name string) bool {
		return slices.Contains(symbols.variables, name)
	})
	if i < 0 {
		p.Variable = Unknown[btf.TypeID](fmt.Errorf("/proc/kallsyms names none of %q", preemptCountVariables))
		return nil
	}
	name := preemptCountVariables[i]
	variable, id, err := perCPUVariable(name, types)
	if err != nil {
		return err
	}
	p.Variable = Known(id)
	switch t := btf.UnderlyingType(variable.Type).(type) {
	case *btf.Struct:
		offset, ok := memberOffset(t, "preempt_count")
		if !ok {
			return fmt.Errorf("struct %s has no preempt_count", t.Name)
		}
		p.Offset = offset
	default:
		if size, err := btf.Sizeof(t); err == nil && size == 8 {
			p.InterruptMask = interruptMaskMoved64
		}
	}
	return nil
}
