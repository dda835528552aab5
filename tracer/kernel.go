package tracer

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// runningKernel is what is known of the running kernel before anything is loaded.
type runningKernel struct {
	release kernel.Release
	version kernel.Version
	types   *kernel.Types // shared by all loads, so that types are decoded once
	symbols *kernel.Symbols
	facts   assemble.Kernel

	preemptCount        kernel.PreemptCount
	progActive          kernel.Fact[btf.TypeID] // of bpf_prog_active
	perCPUOffsets       kernel.Fact[uint64]     // the address of __per_cpu_offset[]; read for stand-ins alone
	kprobes             kernel.Fact[uint32]
	slabAliases         kernel.Fact[map[string][]string] // as tracing begins
	preemptibleRawTP    bool                             // raw tracepoint programs can be preempted, and then lose events
	preemptibleSyscalls bool                             // so can programs on system call tracepoints
}

// forgetTypes gives up the memory of the decoded types once all is loaded.
func (k *runningKernel) forgetTypes() { k.types = nil }

// readKernel reads the kernel's types and symbols. It takes no privilege but to
// see addresses in /proc/kallsyms.
func readKernel() (*runningKernel, error) {
	release, err := kernel.ReadRelease()
	if err != nil {
		return nil, err
	}
	k := &runningKernel{release: release, kprobes: kernel.Kprobes(), slabAliases: kernel.SlabAliases()}
	if k.types, err = kernel.ReadTypes(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, release, err)
	}
	if k.symbols, err = kernel.ReadSymbols(); err != nil {
		return nil, fmt.Errorf("kernel %s: %w", release, err)
	}
	if k.version, err = kernel.RunningVersion(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, release, err)
	}
	if err := k.readFacts(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, release, err)
	}
	if err := k.readPreemption(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, release, err)
	}
	return k, nil
}

// readFacts reads what the assembler has to know.
func (k *runningKernel) readFacts() error {
	size := func(name string) uint64 {
		size, _ := k.types.Size(name).Get()
		return size
	}
	accounted, _ := kernel.AccountedCaches().Get()
	k.facts = assemble.Kernel{
		PeakRule:        assemble.PeakFinal,
		PageSize:        uint64(os.Getpagesize()),
		AccountedCaches: accounted,
		Env:             size("bpf_verifier_env"),
		State:           size("bpf_verifier_state"),
		StateList:       size("bpf_verifier_state_list"),
		StackElem:       size("bpf_verifier_stack_elem"),
		FuncState:       size("bpf_func_state"),
		SCCBackedge:     size("bpf_scc_backedge"),
		InsnAux:         size("bpf_insn_aux_data"),
	}
	if k.facts.Env == 0 || k.facts.StateList == 0 || k.facts.State == 0 {
		return errors.New("its BTF lacks struct bpf_verifier_env or bpf_verifier_state_list: built without CONFIG_BPF_SYSCALL?")
	}
	// update_peak_states() came with the count of states on the lists.
	if k.types.HasMember("bpf_verifier_env", "explored_states_size") {
		k.facts.PeakRule = assemble.PeakMaximum
	}
	return nil
}

func (k *runningKernel) readPreemption() (err error) {
	k.preemptCount, err = kernel.ReadPreemptCount(k.version, k.types, k.symbols)
	if err != nil {
		return err
	}
	k.progActive = kernel.ProgActive(k.types, k.symbols)
	// 7.0 guards tracepoints by SRCU-fast in place of disabling preemption.
	k.preemptibleRawTP = k.version.AtLeast(kernel.Version{Major: 7})
	if k.needsStandIns() {
		k.perCPUOffsets = kernel.PerCPUOffsets()
	}
	k.preemptibleSyscalls = k.types.HasFunction("trace_call_bpf_faultable")
	return nil
}

// lacks are those of the kernel itself, beside its hooks'.
func (k *runningKernel) lacks() (lacks []record.Lack) {
	if k.symbols.Hidden() {
		lacks = append(lacks, record.Lack{
			Name: record.LackCallSites,
			Why:  kernel.ErrHidden.Error() + ": no object has a type and nothing is exact",
		})
	}
	if why := k.slabAliases.Why(); why != nil {
		lacks = append(lacks, record.Lack{
			Name: record.LackAliases,
			Why:  "a cache may go by another's name, and which share its slabs is not known: " + why.Error(),
		})
	}
	return lacks
}
