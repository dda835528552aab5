package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/internal/input"
)

// Tracefs gives the ids of classic tracepoints.
type Tracefs struct {
	root *os.File
}

// OpenTracefs opens tracefs where it is mounted, and else a mount of its own that
// has no place in any mount namespace: the host's mounts stay as they are. Both take root.
// Do not call it on a kernel that is locked down for confidentiality: that has not set
// tracefs up, and oopses when a mount of one's own is unmounted (seen on 6.12).
func OpenTracefs() (*Tracefs, error) {
	// To look at its other place, in debugfs, would mount it there.
	const path = "/sys/kernel/tracing"
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) == nil && fs.Type == unix.TRACEFS_MAGIC {
		if root, err := os.Open(path); err == nil {
			return &Tracefs{root}, nil
		}
	}
	root, err := detachedTracefs()
	if err != nil {
		return nil, fmt.Errorf("tracefs is not mounted and cannot be opened without: %w", err)
	}
	return &Tracefs{root}, nil
}

func detachedTracefs() (*os.File, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return nil, os.NewSyscallError("fsmount", err)
	}
	return os.NewFile(uintptr(mount), "tracefs"), nil
}

// EventID returns the id of a classic tracepoint for perf_event_open(2). The error wraps
// fs.ErrNotExist for a tracepoint that the kernel does not have.
func (t *Tracefs) EventID(group, name string) (uint64, error) {
	path := filepath.Join("events", group, name, "id")
	fd, err := unix.Openat(int(t.root.Fd()), path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("tracepoint %s/%s: %w", group, name, &os.PathError{Op: "open", Path: path, Err: err})
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	text, err := input.Kernel.ReadAll(f)
	if err != nil {
		return 0, fmt.Errorf("tracepoint %s/%s: %w", group, name, err)
	}
	id, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("tracepoint %s/%s: its id is %q: %w", group, name, text, errors.ErrUnsupported)
	}
	return id, nil
}

// Close releases the mount, if it was a mount of its own.
func (t *Tracefs) Close() error { return t.root.Close() }
