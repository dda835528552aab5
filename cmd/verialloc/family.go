package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/kernel"
)

// family is COMMAND with all that descends from it. This process takes the place of parents
// that end: a descendant then stays one, and is traced as one.
type family struct {
	ended chan struct{} // closed once no process of it is left
}

// foster has this process, for good, be given the orphans among its descendants.
func foster() (*family, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("take in orphans of the command: %w", os.NewSyscallError("prctl", err))
	}
	return &family{ended: make(chan struct{})}, nil
}

// reap takes note of the end of each orphan, and of no other child: who waits for the
// command is to have its end, and then closes waited. It returns once no child is left.
func (f *family) reap(command int, waited <-chan struct{}) {
	defer close(f.ended)
	for {
		pid, err := endedChild()
		switch {
		case err != nil: // ECHILD
			return
		case pid == command:
			<-waited
			command = 0 // an orphan may have this id now
		default:
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // it has ended
		}
	}
}

// childInfo is siginfo_t as waitid(2) fills it in on 64-bit machines.
type childInfo struct {
	_   [4]int32 // number, error, code
	pid int32
	_   [108]byte
}

// endedChild waits until a child has ended, and leaves it as it is.
func endedChild() (pid int, err error) {
	var info childInfo
	for {
		err = unix.Waitid(unix.P_ALL, 0, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return int(info.pid), err
		}
	}
}

// left says which processes still run; empty: none.
func (f *family) left() string {
	select {
	case <-f.ended:
		return ""
	default:
	}
	processes, err := kernel.Descendants(os.Getpid())
	if err != nil {
		return fmt.Sprintf("descendants that cannot be listed (%v)", err)
	}
	return processesText(processes)
}

// mostNamed is how many processes are named to people.
const mostNamed = 5

func processesText(processes []kernel.Process) string {
	if len(processes) == 0 {
		return ""
	}
	var names []string
	for _, p := range processes[:min(len(processes), mostNamed)] {
		names = append(names, fmt.Sprintf("%s %d", cmp.Or(p.Name, "nameless"), p.PID))
	}
	if n := len(processes) - mostNamed; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return fmt.Sprintf("%s (%s)", text.Count(len(processes), "descendant"), strings.Join(names, ", "))
}
