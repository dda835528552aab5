// Package stream writes to what may stall, fill up or go away.
package stream

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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
// patience, and so does each after it. A reader that takes little at a time, which makes
// no room yet, reads: in a pipe a byte counts, elsewhere what the kernel says is taken.
//
// That holds for pipes, sockets and terminals. What is no file, and a regular file, is
// written as it is. All methods may be called from any goroutine.
type Bounded struct {
	w        io.Writer
	patience time.Duration
	fd       int // of what may stall; -1: nothing
	own      bool
	unread   uint                      // the ioctl that says how many bytes nobody has taken
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
	info, err := file.Stat()
	if err != nil || info.Mode().IsRegular() {
		return b
	}
	b.unread = unix.TIOCOUTQ
	if info.Mode()&fs.ModeNamedPipe != 0 {
		b.unread = unix.TIOCINQ // of either end
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
	w := wait{b: b, progress: time.Now()}
	for written < len(p) {
		if !w.room() {
			b.stalled = true
			return written, ErrStalled
		}
		part := p[written:]
		if b.atOnce > 0 {
			part = part[:min(len(part), b.atOnce)]
		}
		n, err := unix.Write(b.fd, part)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			// Another writer took the room, or there was none for a write of this size.
			if !w.again() {
				b.stalled = true
				return written, ErrStalled
			}
		case err != nil:
			return written, os.NewSyscallError("write", err)
		default:
			written += n
			w.progress = time.Now()
		}
	}
	return written, nil
}

// lookEvery is how often a write that waits looks whether the end has come.
const lookEvery = 100 * time.Millisecond

// wait is how a write waits for its reader.
type wait struct {
	b        *Bounded
	progress time.Time // when something was written or read last
	unread   int       // bytes that nobody had taken at the last look
}

// room waits for room, and reports whether there is any. An error is for the write to find.
func (w *wait) room() bool {
	fds := []unix.PollFd{{Fd: int32(w.b.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(fds, int(min(lookEvery, w.b.patience).Milliseconds()))
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return true
		}
		if !w.goesOn() {
			return false
		}
	}
}

// retryAfter is how long a write waits that found no room where there was some: less than
// lookEvery, as writers that share a pipe that is read fast meet that often.
const retryAfter = time.Millisecond

// again waits, and reports whether there is patience left for another try.
func (w *wait) again() bool {
	time.Sleep(retryAfter)
	return w.goesOn()
}

// goesOn looks whether anything was read, and reports whether there is patience left.
func (w *wait) goesOn() bool {
	// A pipe has room again only once a whole page of it was read.
	if unread, err := unix.IoctlGetInt(w.b.fd, w.b.unread); err == nil {
		if unread < w.unread {
			w.progress = time.Now()
		}
		w.unread = unread
	}
	end := w.b.end.Load()
	if end == nil {
		return true
	}
	since := w.progress
	if end.After(since) {
		since = *end
	}
	return time.Since(since) < w.b.patience
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
