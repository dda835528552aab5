package load

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// blockSignals binds the goroutine to its thread and blocks all signals of the thread,
// except those that its own faults raise. A blocked signal does not interrupt the verifier.
// SIGKILL does, and so does a stop by SIGSTOP, a debugger or the freezer.
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
		// No other goroutine may run on a thread whose signals stay blocked: the thread
		// stays locked and ends with this goroutine.
		if unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}
