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

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// Cgroup measures the peak of the memory that the process is charged for during a load,
// above what it was charged for when the load began, in bytes. That is veristat's mem_peak,
// which is in MiB. Each load is measured in a new control group of the process, one load at
// a time. From Linux 6.12 the peak of a group can be reset instead; but the kernel frees
// some memory of a load after its return, such as the instructions, and that would reduce
// what the next load is charged. The kernel charges a group in batches of 64 pages per CPU.
//
// Leave may be called while a loader still measures a load that nobody waits for: later
// loads then get the reason instead of a number.
type Cgroup struct {
	mu     sync.Mutex
	absent string // why there is no number

	mount    string // of cgroup2
	original string // the group that the process was in before
	group    string // the group that it is in now
	made     int    // number of groups that were made
	// emptied are groups that the process has left but that are not removed yet: the
	// kernel refuses that while a thread that was ending at the move is in them.
	emptied []string
	before  uint64
}

// EnterCgroup moves the process to a new control group. That takes a writable cgroup2 file
// system with the memory controller; without one, the Cgroup gives each load the reason
// instead of a number.
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

// NoCgroup returns a Cgroup that measures nothing and gives each load that reason.
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

// removeEmptied removes the groups that the process has left. It keeps those that cannot
// be removed yet for later.
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
// ending at the move have ended. A loader is such a thread when a bench ends. At end it
// returns the kernel's EBUSY.
func removeOnceEmpty(group string, end time.Time) error {
	events, err := os.Open(filepath.Join(group, "cgroup.events"))
	if err != nil {
		return err
	}
	defer events.Close()
	for {
		// poll(2) waits for a change since the last read, so that it misses none.
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

// stop returns the peak since start.
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

// read returns the peak of the group's memory since it was made, in bytes.
func (g *Cgroup) read() (uint64, error) {
	text, err := input.Kernel.ReadFile(filepath.Join(g.group, "memory.peak"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// Leave moves the process back to the control group that it was in before, and removes the
// groups that were made. If the former group is gone, as systemd removes a scope once it is
// empty, the process moves to the root of the file system; the kernel permits that unless
// the root is part of a larger hierarchy. Leave waits ten seconds at most for threads that
// are ending.
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
