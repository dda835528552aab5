// Package fence gives up what a process does not need any more, for good: capabilities,
// privileges that a program it executes could gain, and by Landlock the writing of files and
// the network.
//
// Processes that were started before are not touched, nor is any file that is open.
package fence

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// Limits are what a process keeps.
type Limits struct {
	Capabilities kernel.Capabilities // those of them that it has
	Writable     []string            // directories below which files may be made and written
	Removable    []string            // directories below which files may be removed
	// Processes keeps what the capabilities permit of reading other processes. Landlock
	// would refuse all of it, and is left out.
	Processes bool
}

// reading is what Landlock does not restrict: a mount that has no place in any namespace,
// such as that of kernel.Tracefs, is below no directory that a rule could name.
const reading = ll.AccessFSReadFile | ll.AccessFSReadDir

// writing is what Limits.Writable permits.
const writing = ll.AccessFSWriteFile | ll.AccessFSMakeDir | ll.AccessFSRemoveDir | ll.AccessFSTruncate

// Raise gives up all but the limits, in all threads of the process. What it returns is what
// the kernel says of the process then, also where there is an error: all that can be given
// up has been.
func Raise(l Limits) (record.Fence, error) {
	var f record.Fence
	// Without this no process may restrict itself that lacks CAP_SYS_ADMIN.
	err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	if l.Processes {
		f.LandlockAbsent = "other processes are to be read"
	} else {
		f.LandlockABI, f.LandlockAbsent = restrict(l)
	}
	return f, errors.Join(err, dropCapabilities(l.Capabilities), read(&f))
}

// prctl makes the call in each thread.
func prctl(option, value uintptr) error {
	if _, _, errno := psx.Syscall6(unix.SYS_PRCTL, option, value, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("prctl %d: %w", option, errno)
	}
	return nil
}

// restrict has Landlock refuse what writes files elsewhere than the limits say, and
// the network.
func restrict(l Limits) (abi int, absent string) {
	abi, err := ll.LandlockGetABIVersion()
	switch {
	case errors.Is(err, syscall.ENOSYS):
		return 0, "this kernel is built without Landlock"
	case errors.Is(err, syscall.EOPNOTSUPP):
		return 0, "Landlock is not enabled (boot with lsm=landlock,...)"
	case err != nil:
		return 0, fmt.Sprintf("Landlock: %v", err)
	}
	config := landlock.V11
	config.HandledAccessFS &^= reading
	// A signal is passed on to COMMAND, which is on the other side of the fence.
	config.Scoped = ll.ScopeAbstractUnixSocket
	var rules []landlock.Rule
	for _, directory := range l.Writable {
		rules = append(rules, landlock.PathAccess(writing, directory))
	}
	for _, directory := range l.Removable {
		rules = append(rules, landlock.PathAccess(ll.AccessFSRemoveFile, directory))
	}
	if err := config.BestEffort().Restrict(rules...); err != nil {
		return 0, err.Error()
	}
	return abi, ""
}

// dropCapabilities drops all but some of the capabilities, in each thread.
func dropCapabilities(keep kernel.Capabilities) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	for i := range data {
		kept := uint32(keep >> (32 * i))
		data[i].Permitted &= kept
		data[i].Effective &= kept
		data[i].Inheritable = 0
	}
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return fmt.Errorf("capset: %w", errno)
	}
	return nil
}

// read reads what the calling thread has.
func read(f *record.Fence) error {
	capabilities, err := kernel.ReadCapabilities()
	if err == nil {
		f.Capabilities = capabilities.Names()
	}
	set, prctlErr := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	f.NoNewPrivileges = set == 1
	return errors.Join(err, prctlErr)
}
