package kernel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"strings"
)

// processor is what a CPU answers to instructions that anyone may execute.
type processor struct {
	// cpuid is the instruction, with ECX 0; nil: the architecture has none.
	cpuid func(leaf uint32) (eax, ebx, ecx, edx uint32)
	// loopTicks is how far the time stamp counter gets while the CPU repeats a loop of two
	// instructions n times.
	loopTicks func(n uint64) uint64
}

// hypervisorNames are what hypervisors write into leaf 0x40000000 of CPUID, and what they
// are called. Several write KVM's, since it is what guests know.
var hypervisorNames = map[string]string{
	"TCGTCGTCGTCG": "TCG",
	"KVMKVMKVM":    "KVM",
	"Linux KVM Hv": "KVM",
	"Microsoft Hv": hyperV,
	"VMwareVMware": "VMware",
	"XenVMMXenVMM": "Xen",
	"VBoxVBoxVBox": "VirtualBox",
	"prl hyperv":   "Parallels",
	"bhyve bhyve":  "bhyve",
	"ACRNACRNACRN": "ACRN",
	"QNXQVMBSQG":   "QNX",
}

// The first leaf of CPUID that is a hypervisor's, how far apart such leaves are, and the bit
// of leaf 1's ECX that announces them.
const (
	hypervisorLeaf  = 0x40000000
	hypervisorLeafs = 0x100
	hypervisorBit   = 1 << 31
)

// hyperV is whose signature others show first that speak its language to Windows, and their
// own behind it.
const hyperV = "Hyper-V"

// hypervisor returns the name of what runs the machine, none where the CPU shows none. A
// hypervisor may hide.
func (p processor) hypervisor() Fact[string] {
	if p.cpuid == nil {
		return Unknown[string](errors.New("verialloc knows hypervisors by the CPUID of x86 alone"))
	}
	if _, _, features, _ := p.cpuid(1); features&hypervisorBit == 0 {
		return Known("none")
	}
	signature := p.signature(hypervisorLeaf)
	switch name := hypervisorNames[signature]; {
	case name == hyperV:
		return Known(cmp.Or(hypervisorNames[p.signature(hypervisorLeaf+hypervisorLeafs)], name))
	case name != "":
		return Known(name)
	case signature == "":
		return Unknown[string](errors.New("the CPU says that a hypervisor runs it, and not which"))
	default:
		return Known(signature)
	}
}

// signature returns what a hypervisor's leaf has in its registers.
func (p processor) signature(leaf uint32) string {
	_, b, c, d := p.cpuid(leaf)
	var text [12]byte
	for i, register := range []uint32{b, c, d} {
		binary.LittleEndian.PutUint32(text[4*i:], register)
	}
	return strings.TrimRight(string(text[:]), "\x00 ")
}
