package load

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// blockSignals binds the goroutine to its thread and keeps from the thread all
// signals but those that its own faults raise. A signal that is blocked does not
// interrupt the verifier. What still does are SIGKILL and a stop, by SIGSTOP, a
// debugger or the freezer.
func blockSignals() (restore func(), err error) {
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	for _, fault := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP} {
		all.Val[0] &^= 1 << (fault - 1)
	}
	runtime.LockOSThread()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("block signals: %w", err)
	}
	return func() {
		// A thread whose signals stay blocked is not to run other goroutines:
		// left locked, it ends with this one.
		if unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}
