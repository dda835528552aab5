package kernel

import (
	"os"

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

// Has reports whether a capability, such as unix.CAP_BPF, is among them.
func (c Capabilities) Has(capability int) bool { return c&(1<<capability) != 0 }

// MayLoad reports whether they permit loading BPF programs of some type where unprivileged
// loads are off (kernel.unprivileged_bpf_disabled), as they are almost everywhere. Most
// types take another capability as well.
func (c Capabilities) MayLoad() bool { return c.hasOrAdmin(unix.CAP_BPF) }

// MayTrace reports whether they permit loading programs that read kernel memory, and
// attaching them. A locked-down kernel or a security policy may still refuse.
func (c Capabilities) MayTrace() bool {
	return c.hasOrAdmin(unix.CAP_BPF) && c.hasOrAdmin(unix.CAP_PERFMON)
}

// hasOrAdmin counts CAP_SYS_ADMIN for capabilities that were part of it up to 5.7: CAP_BPF
// (a17b53c4a4b5) and CAP_PERFMON (980737282232) are from 5.8.
func (c Capabilities) hasOrAdmin(capability int) bool {
	return c.Has(capability) || c.Has(unix.CAP_SYS_ADMIN)
}
