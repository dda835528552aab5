// Package stream writes to what may stall, fill up or go away.
package stream

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// ErrStalled is the error of a write of which nobody took anything for too long.
var ErrStalled = errors.New("its reader does not read")

// Patience is how long a write may stand still once the end has come.
const Patience = 5 * time.Second

// Bounded is a writer that does not outlast the end: a write may wait for a reader as
// long as it likes, but from End on it fails with ErrStalled once nothing was read for the
// patience, and so does each after it.
//
// That holds for pipes, sockets and terminals. What is no file, and a regular file, is
// written as it is. All methods may be called from any goroutine.
type Bounded struct {
	w        io.Writer
	patience time.Duration
	fd       int // of what may stall; -1: nothing
	own      bool
	atOnce   int                       // bytes that a write takes without waiting, where there is room
	end      atomic.Pointer[time.Time] // nil: it has not come

	mu      sync.Mutex
	stalled bool
}

// pipeBuf is PIPE_BUF: where poll finds room in a pipe, so much can be written.
const pipeBuf = 4096

// NewBounded returns a writer on w, which must stay open until Close.
func NewBounded(w io.Writer, patience time.Duration) *Bounded {
	b := &Bounded{w: w, patience: patience, fd: -1}
	file, ok := w.(*os.File)
	if !ok {
		return b
	}
	if info, err := file.Stat(); err != nil || info.Mode().IsRegular() {
		return b
	}
	// To have writes not wait is a property of the open file, which others may share:
	// this is to be another. A socket cannot be opened, nor what belongs to others.
	shared := int(file.Fd())
	const flags = unix.O_WRONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	if fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", shared), flags, 0); err == nil {
		b.fd, b.own = fd, true
	} else {
		b.fd, b.atOnce = shared, pipeBuf
	}
	return b
}

// End says that the end has come. Calls after the first have no effect.
func (b *Bounded) End() {
	now := time.Now()
	b.end.CompareAndSwap(nil, &now)
}

// Write writes, and waits while there is no room.
func (b *Bounded) Write(p []byte) (written int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fd < 0 {
		return b.w.Write(p)
	}
	if b.stalled {
		return 0, ErrStalled
	}
	progress := time.Now()
	for written < len(p) {
		if !b.room(progress) {
			b.stalled = true
			return written, ErrStalled
		}
		part := p[written:]
		if b.atOnce > 0 {
			part = part[:min(len(part), b.atOnce)]
		}
		n, err := unix.Write(b.fd, part)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return written, os.NewSyscallError("write", err)
		default:
			written += n
			progress = time.Now()
		}
	}
	return written, nil
}

// lookEvery is how often a write that waits looks whether the end has come.
const lookEvery = 100 * time.Millisecond

// room waits for room, and reports whether there is any. An error is for the write to find.
func (b *Bounded) room(progress time.Time) bool {
	fds := []unix.PollFd{{Fd: int32(b.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(fds, int(min(lookEvery, b.patience).Milliseconds()))
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return true
		}
		end := b.end.Load()
		if end == nil {
			continue
		}
		since := progress
		if end.After(since) {
			since = *end
		}
		if time.Since(since) >= b.patience {
			return false
		}
	}
}

// Close lets go of what NewBounded has opened, not of its writer.
func (b *Bounded) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.own {
		return nil
	}
	fd := b.fd
	b.fd, b.own = -1, false
	return os.NewSyscallError("close", unix.Close(fd))
}
