package load

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// Cgroup measures the most memory that the process was charged for during a load,
// beyond what it was charged for at its beginning, in bytes: veristat's mem_peak, which
// is in MiB. Each load is measured in a new control group of the process's own, one load
// at a time: from 6.12 on a group's peak can be reset instead, but what the kernel frees
// of earlier loads after their return, such as their instructions, would then be missing
// from what the next load is charged. The kernel charges a group in batches of 64 pages
// for each CPU.
//
// Leave may be called while a loader that is not waited for measures: later loads get the
// reason instead of a number.
type Cgroup struct {
	mu     sync.Mutex
	absent string // why there is no number

	mount    string // of cgroup2
	original string // the group that the process came from
	group    string // the one that it is in now
	made     int    // groups that were made
	// emptied are groups that the process has left and that are still to be removed:
	// the kernel refuses that while a thread that was ending at the move is in them.
	emptied []string
	before  uint64
}

// EnterCgroup moves the process to a new control group, if there is a writable cgroup2
// file system with the memory controller. Where that is not so the Cgroup gives the
// reason with each load instead of a number.
func EnterCgroup() *Cgroup {
	g := &Cgroup{}
	if err := g.enter(); err != nil {
		g.absent = err.Error()
		if err := g.Leave(); err != nil {
			g.absent += "; " + err.Error()
		}
	}
	return g
}

// NoCgroup measures nothing, for that reason.
func NoCgroup(reason string) *Cgroup { return &Cgroup{absent: reason} }

// enter finds the file system and moves the process into a first group.
func (g *Cgroup) enter() error {
	cgroup := kernel.FindCgroup()
	found, ok := cgroup.Get()
	if !ok {
		return cgroup.Why()
	}
	memory, err := found.Delegates("memory")
	if err != nil {
		return err
	}
	if !memory {
		return fmt.Errorf("%s/cgroup.subtree_control does not give groups the memory controller", found.Mount)
	}
	g.mount = found.Mount
	return g.move(found.Own)
}

// move makes a group and moves the process there from original.
func (g *Cgroup) move(original string) error {
	next := filepath.Join(g.mount, fmt.Sprintf("verialloc-%d-%d", os.Getpid(), g.made))
	if err := os.Mkdir(next, 0o755); err != nil {
		return err
	}
	g.made++
	if err := enterGroup(next); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if g.group != "" {
		g.emptied = append(g.emptied, g.group)
	}
	g.group, g.original = next, original
	if err := g.removeEmptied(); !errors.Is(err, unix.EBUSY) {
		return err
	}
	return nil
}

// removeEmptied removes the groups that the process has left, and keeps those for later
// that cannot be removed yet.
func (g *Cgroup) removeEmptied() error {
	var errs []error
	g.emptied = slices.DeleteFunc(g.emptied, func(group string) bool {
		err := os.Remove(group)
		errs = append(errs, err)
		return err == nil
	})
	return errors.Join(errs...)
}

// removeOnceEmpty removes a group that the process has left, once the threads that were
// ending at the move have ended: a loader is one of them when a bench ends. It gives up at
// end, with the kernel's EBUSY.
func removeOnceEmpty(group string, end time.Time) error {
	events, err := os.Open(filepath.Join(group, "cgroup.events"))
	if err != nil {
		return err
	}
	defer events.Close()
	for {
		// poll(2) waits for a change since the last read, so that none is missed.
		if _, err := events.ReadAt(make([]byte, 256), 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		err := os.Remove(group)
		left := time.Until(end)
		if !errors.Is(err, unix.EBUSY) || left <= 0 {
			return err
		}
		fds := []unix.PollFd{{Fd: int32(events.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for %s to be empty: poll: %w", group, err)
		}
	}
}

func enterGroup(group string) error {
	return os.WriteFile(filepath.Join(group, "cgroup.procs"), strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
}

// start begins to measure.
func (g *Cgroup) start() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.absent != "" {
		return nil
	}
	err := g.move(g.original)
	if err == nil {
		g.before, err = g.read()
	}
	if err != nil {
		return fmt.Errorf("measure memory: %w", err)
	}
	return nil
}

// stop returns what was measured.
func (g *Cgroup) stop() record.Counter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.absent != "" {
		return record.Counter{Absent: g.absent}
	}
	peak, err := g.read()
	if err != nil {
		return record.Counter{Absent: err.Error()}
	}
	return record.Counter{Value: peak - g.before}
}

// read returns the most that the group was charged for since it was made.
func (g *Cgroup) read() (uint64, error) {
	text, err := os.ReadFile(filepath.Join(g.group, "memory.peak"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// Leave moves the process back to the control group that it came from and removes
// the one that was made. Where that is gone, as systemd removes a scope once it is empty,
// the process goes to the file system's root, which the kernel permits where that is no
// part of a larger hierarchy. For threads that are ending it waits for ten seconds at most.
func (g *Cgroup) Leave() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.group == "" {
		return nil
	}
	var errs []error
	err := enterGroup(g.original)
	if errors.Is(err, fs.ErrNotExist) {
		err = enterGroup(g.mount)
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("go back to control group %s: %w", g.original, err))
	} else {
		end := time.Now().Add(10 * time.Second)
		for _, group := range append(g.emptied, g.group) {
			errs = append(errs, removeOnceEmpty(group, end))
		}
		g.emptied = nil
	}
	g.group = ""
	if g.absent == "" {
		g.absent = "the process has left its control group"
	}
	return errors.Join(errs...)
}
