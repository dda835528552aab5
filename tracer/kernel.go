package tracer

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/assemble"
)

// runningKernel is what is known of the running kernel before anything is loaded.
type runningKernel struct {
	release, build, machine string     // as uname has them
	btf                     *btf.Cache // shared by all loads, so that types are decoded once
	types                   *btf.Spec
	symbols                 *symbolTable
	facts                   assemble.Kernel

	interruptMask       uint32
	interruptByStack    bool       // preempt_count cannot be named
	preemptCount        btf.TypeID // of the per-CPU variable that holds preempt_count; 0: none
	preemptCountOffset  uint32
	progActive          btf.TypeID // of bpf_prog_active; 0: it cannot be named
	kprobes             bool       // kprobe events exist at all
	preemptibleRawTP    bool       // raw tracepoint programs can be preempted, and then lose events
	preemptibleSyscalls bool       // so can programs on system call tracepoints
}

// forgetTypes gives up the memory of the decoded types once all is loaded.
func (k *runningKernel) forgetTypes() { k.btf, k.types = nil, nil }

// readKernel reads the kernel's types and symbols. It takes no privilege but to
// see addresses in /proc/kallsyms.
func readKernel() (*runningKernel, error) {
	k := &runningKernel{btf: btf.NewCache()}
	var uts unix.Utsname
	err := unix.Uname(&uts)
	if err != nil {
		return nil, os.NewSyscallError("uname", err)
	}
	k.release = unix.ByteSliceToString(uts.Release[:])
	k.build = unix.ByteSliceToString(uts.Version[:])
	k.machine = unix.ByteSliceToString(uts.Machine[:])
	k.types, err = k.btf.Kernel()
	if err != nil {
		return nil, fmt.Errorf("%w: kernel %s: read BTF: %w (build the kernel with CONFIG_DEBUG_INFO_BTF=y)",
			ErrUnsupported, k.release, err)
	}
	k.symbols, err = readSymbols()
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", k.release, err)
	}
	// Without sysfs nobody can tell; attaching then will.
	k.kprobes = exists("/sys/bus/event_source/devices/kprobe") || !exists("/sys/bus/event_source")
	if err := k.readFacts(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, k.release, err)
	}
	if err := k.readPreemption(); err != nil {
		return nil, fmt.Errorf("%w: kernel %s: %w", ErrUnsupported, k.release, err)
	}
	return k, nil
}

func (k *runningKernel) readFacts() error {
	size := func(name string) uint64 {
		var s *btf.Struct
		if k.types.TypeByName(name, &s) != nil {
			return 0
		}
		return uint64(s.Size)
	}
	k.facts = assemble.Kernel{
		PeakRule:        assemble.PeakFinal,
		PageSize:        uint64(os.Getpagesize()),
		AccountedCaches: exists("/sys/kernel/slab/kmalloc-cg-64"),
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
	var env *btf.Struct
	if err := k.types.TypeByName("bpf_verifier_env", &env); err != nil {
		return err
	}
	// update_peak_states() came with the count of states on the lists.
	if _, ok := member(env, "explored_states_size"); ok {
		k.facts.PeakRule = assemble.PeakMaximum
	}
	return nil
}

// Interrupt bits of preempt_count: SOFTIRQ_OFFSET, HARDIRQ_MASK, NMI_MASK.
const (
	interruptMask = 0x00ff0100
	// From 7.3 bits 16 to 23 count local_interrupt_disable() calls and the
	// two masks sit above: NMI_BITS is 1, and 4 where the count is 64 bits
	// wide.
	interruptMaskMoved   = 0x1f000100
	interruptMaskMoved64 = 0xff000100
)

func (k *runningKernel) readPreemption() error {
	var major, minor int
	if _, err := fmt.Sscanf(k.release, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("cannot read the version of release %q", k.release)
	}
	k.interruptMask = interruptMask
	if major > 7 || major == 7 && minor >= 3 {
		k.interruptMask = interruptMaskMoved
	}
	if runtime.GOARCH == "amd64" {
		if err := k.findPreemptCount(); err != nil {
			return err
		}
	}

	if slices.Contains(k.symbols.variables, progActiveVariable) {
		var v *btf.Var
		if k.types.TypeByName(progActiveVariable, &v) == nil {
			id, err := k.types.TypeID(v)
			if err != nil {
				return err
			}
			k.progActive = id
		}
	}

	// 7.0 guards tracepoints by SRCU-fast in place of disabling preemption.
	k.preemptibleRawTP = major >= 7
	k.preemptibleSyscalls = k.hasFunction("trace_call_bpf_faultable")
	return nil
}

// preemptCountVariables are the per-CPU variables that hold preempt_count,
// progActiveVariable the one by which the kernel skips programs.
var preemptCountVariables = []string{"__preempt_count", "pcpu_hot"}

const progActiveVariable = "bpf_prog_active"

var perCPUVariables = append([]string{progActiveVariable}, preemptCountVariables...)

// findPreemptCount looks up the per-CPU variable that holds preempt_count. The
// verifier finds its address by name, so kallsyms must hold data as well.
func (k *runningKernel) findPreemptCount() error {
	i := slices.IndexFunc(k.symbols.variables, func(name string) bool {
		return slices.Contains(preemptCountVariables, name)
	})
	if i < 0 {
		k.interruptByStack = true
		return nil
	}
	var variable *btf.Var
	if err := k.types.TypeByName(k.symbols.variables[i], &variable); err != nil {
		return fmt.Errorf("per-CPU variable %s: %w", k.symbols.variables[i], err)
	}
	switch t := btf.UnderlyingType(variable.Type).(type) {
	case *btf.Struct:
		offset, ok := member(t, "preempt_count")
		if !ok {
			return fmt.Errorf("struct %s has no preempt_count", t.Name)
		}
		k.preemptCountOffset = offset
	default:
		if size, err := btf.Sizeof(t); err == nil && size == 8 {
			k.interruptMask = interruptMaskMoved64
		}
	}
	id, err := k.types.TypeID(variable)
	k.preemptCount = id
	return err
}

// hasFunction tells whether BTF describes a function of this name.
func (k *runningKernel) hasFunction(name string) bool {
	var f *btf.Func
	return k.types.TypeByName(name, &f) == nil
}

// hasTracepoint tells whether the kernel has a tracepoint of this name.
func (k *runningKernel) hasTracepoint(name string) bool {
	var t *btf.Typedef
	return k.types.TypeByName("btf_trace_"+name, &t) == nil
}

// member returns a member's offset in bytes, looking into anonymous members.
func member(s btf.Type, name string) (uint32, bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(s).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m.Offset.Bytes(), true
		}
		if m.Name == "" {
			if offset, ok := member(m.Type, name); ok {
				return m.Offset.Bytes() + offset, true
			}
		}
	}
	return 0, false
}

// progTypes names the kernel's program types without their prefix, in lower case.
func (k *runningKernel) progTypes() map[uint32]string {
	names := map[uint32]string{}
	var e *btf.Enum
	if k.types.TypeByName("bpf_prog_type", &e) != nil {
		return names
	}
	for _, v := range e.Values {
		if name, ok := strings.CutPrefix(v.Name, "BPF_PROG_TYPE_"); ok {
			names[uint32(v.Value)] = strings.ToLower(name)
		}
	}
	return names
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
