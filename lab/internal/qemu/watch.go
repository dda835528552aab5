package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// lastWords is how long a guest may print after it got an order to quit, in its own time.
const lastWords = 15 * time.Second

// watchEvery is how often a guest's progress is looked at.
const watchEvery = time.Second

// watch follows a guest until it reaches one of its limits. It then calls quit and
// gives the guest time for its last words. It returns that limit at the end of the
// time or of ctx, and nil when ctx ends first.
func watch(ctx context.Context, limits Limits, threads func() (map[int]threadTime, error), active func() bool, quit func()) error {
	err := follow(ctx, limits, threads, active)
	if err == nil {
		return nil
	}
	quit()
	_ = follow(ctx, Limits{Timeout: lastWords}, threads, active) // the first limit is the reason
	return err
}

// follow returns the limit that the guest reaches, or nil when ctx ends.
func follow(ctx context.Context, limits Limits, threads func() (map[int]threadTime, error), active func() bool) error {
	now, _ := threads() // judged below
	p := progress{limits: limits, threads: now}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// Where the kernel does not count, the guest's time is the wall clock's and
		// nothing shows that it is idle.
		now, err := threads()
		elapsed := time.Since(last)
		last = last.Add(elapsed)
		if err := p.step(elapsed, now, active() || err != nil); err != nil {
			return err
		}
	}
}

// threadTimes reads what the scheduler counts for the threads of a process other
// than the main one: those of QEMU run the guest's CPUs, except for one that hardly
// runs.
func threadTimes(pid int) (map[int]threadTime, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "task")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	threads := map[int]threadTime{}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil || id == pid {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name(), "schedstat"))
		if errors.Is(err, fs.ErrNotExist) && len(entries) > 1 {
			if _, err := os.Stat(filepath.Join(dir, e.Name())); err != nil {
				continue // the thread has ended
			}
		}
		if err != nil {
			return nil, err
		}
		// Nanoseconds run and waited, and the number of time slices.
		var ran, waited int64
		if _, err := fmt.Fscan(strings.NewReader(string(text)), &ran, &waited); err != nil {
			return nil, fmt.Errorf("%s/%s/schedstat: %w", dir, e.Name(), err)
		}
		threads[id] = threadTime{time.Duration(ran), time.Duration(waited)}
	}
	return threads, nil
}

// monitored is a reader of a guest's results that knows whether the guest owes
// some.
type monitored struct {
	r       io.Reader
	reading atomic.Bool
	came    atomic.Bool // something, since the last call of active
}

func (m *monitored) Read(p []byte) (int, error) {
	m.reading.Store(true)
	n, err := m.r.Read(p)
	m.came.Store(true)
	m.reading.Store(false)
	return n, err
}

// active reports whether something came since the last call, or the host is still busy
// with what came.
func (m *monitored) active() bool { return m.came.Swap(false) || !m.reading.Load() }
