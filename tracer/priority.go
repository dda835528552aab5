package tracer

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// readerNice is the priority of a reader that was asked to have a high one. It must keep
// up with every CPU that loads programs, on a machine with one CPU against all of them:
// at nice 0 among eight loaders it gets a ninth of the CPU and the ring buffer overflows.
const readerNice = -20

// prioritize binds the calling goroutine to a thread, raises the thread's priority, and
// returns what undoes both: the priority is then what it was. Without the privilege
// (CAP_SYS_NICE) the goroutine is bound and the priority stays.
func prioritize() (restore func()) {
	runtime.LockOSThread()
	// The raw call returns 20 - nice.
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil || unix.Setpriority(unix.PRIO_PROCESS, 0, readerNice) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		// Raising the number again takes no privilege.
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 20-before)
		runtime.UnlockOSThread()
	}
}
