package main

import (
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/fence"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// What each command needs once it has opened what it writes to. docs/security.md says what
// for.

// traceLimits are those of a trace whose probes are live. It opens control groups by their
// ids; a ring buffer that grows is a new map; a signal that is passed on may find COMMAND as
// another user; and which executable a process has is for those to see who may trace it.
func traceLimits(o *traceOptions, command bool) fence.Limits {
	l := fence.Limits{Capabilities: kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH)}
	if o.ring.grows() {
		l.Capabilities |= kernel.CapabilitiesOf(unix.CAP_BPF)
	}
	if command {
		l.Capabilities |= kernel.CapabilitiesOf(unix.CAP_KILL)
	}
	if o.config.LoaderCommand {
		l.Capabilities |= kernel.CapabilitiesOf(unix.CAP_SYS_PTRACE)
		l.Processes = true
	}
	return l
}

// readLimits are those of what judges and shows recordings. Root reads all files.
func readLimits() fence.Limits {
	return fence.Limits{Capabilities: kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH)}
}

// untilBegun adds to limits what it takes to remove an output that is never begun.
func untilBegun(l fence.Limits, o *output) fence.Limits {
	if o.created {
		l.Capabilities |= kernel.CapabilitiesOf(unix.CAP_DAC_OVERRIDE)
		l.Removable = append(l.Removable, o.place.Directory())
	}
	return l
}

// benchLimits are those of a bench, which loads programs of any type and measures them: a
// verification is another one with fewer of these capabilities.
func benchLimits() fence.Limits {
	l := fence.Limits{Capabilities: kernel.CapabilitiesOf(
		unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN, unix.CAP_SYSLOG,
		unix.CAP_SYS_RESOURCE, unix.CAP_SYS_NICE, unix.CAP_IPC_LOCK, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH,
	)}
	if cgroup, ok := kernel.FindCgroup().Get(); ok {
		l.Writable = append(l.Writable, cgroup.Mount) // a group for each load
	}
	return l
}

// confine raises a fence, and warns of what could not be given up. That a kernel has no
// Landlock is for doctor to say. What it returns is nil in a program
// that has no fence.
func (a *app) confine(l fence.Limits) *record.Fence {
	if a.fence == nil {
		return nil
	}
	f, err := a.fence(l)
	if err != nil {
		a.log().Warn().Msgf("privileges that are not needed any more could not be given up: %v", err)
	}
	return &f
}
