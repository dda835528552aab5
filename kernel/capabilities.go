package kernel

import (
	"os"
	"strings"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"
)

// Capabilities are the effective capabilities of a thread, a bit each.
type Capabilities uint64

// ReadCapabilities returns those of the calling thread.
func ReadCapabilities() (Capabilities, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // the header's version has 64 bits, in two halves
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, os.NewSyscallError("capget", err)
	}
	return Capabilities(data[0].Effective) | Capabilities(data[1].Effective)<<32, nil
}

// CapabilitiesOf is the set of some.
func CapabilitiesOf(capabilities ...int) (c Capabilities) {
	for _, capability := range capabilities {
		c |= 1 << capability
	}
	return c
}

// Names lists those that have a name, such as CAP_BPF.
func (c Capabilities) Names() []string {
	names := []string{}
	for _, known := range capability.ListKnown() {
		if c.Has(int(known)) {
			names = append(names, "CAP_"+strings.ToUpper(known.String()))
		}
	}
	return names
}

// Has reports whether a capability, such as unix.CAP_BPF, is among them.
func (c Capabilities) Has(capability int) bool { return c&(1<<capability) != 0 }

// MayLoad reports whether they permit loading BPF programs of some type where unprivileged
// loads are off (kernel.unprivileged_bpf_disabled), as they are almost everywhere. Most
// types take another capability as well.
func (c Capabilities) MayLoad() bool { return c.hasOrAdmin(unix.CAP_BPF) }

// MayTrace reports whether they permit loading programs that read kernel memory, and
// attaching them. A locked-down kernel or a security policy may still refuse.
func (c Capabilities) MayTrace() bool { return c.LackingToTrace() == 0 }

// LackingToTrace are those that are missing for MayTrace.
func (c Capabilities) LackingToTrace() (lacking Capabilities) {
	for _, capability := range []int{unix.CAP_BPF, unix.CAP_PERFMON} {
		if !c.hasOrAdmin(capability) {
			lacking |= CapabilitiesOf(capability)
		}
	}
	return lacking
}

// hasOrAdmin counts CAP_SYS_ADMIN for capabilities that were part of it up to 5.7: CAP_BPF
// (a17b53c4a4b5) and CAP_PERFMON (980737282232) are from 5.8.
func (c Capabilities) hasOrAdmin(capability int) bool {
	return c.Has(capability) || c.Has(unix.CAP_SYS_ADMIN)
}
