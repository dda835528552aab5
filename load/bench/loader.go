package bench

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
)

// loader is a thread that makes loads.
type loader struct {
	number  int
	comm    string // name of the thread; empty: that of the process
	cpu     int    // that the thread is pinned to; below 0: none
	options load.Options
	growLog bool
	open    func() *load.Counters

	work    <-chan assignment
	results chan<- result
	loads   int // so far
	// await, if not nil, names each load, and waits for its record.
	await *matcher
}

// assignment is a job and the program that it loads.
type assignment struct {
	job
	prepared load.Prepared
}

// result is the outcome of a load.
type result struct {
	job
	loader int
	name   string    // that the kernel got; empty: the program's own
	start  time.Time // of the load
	stats  load.Stats
	err    error
}

// run makes loads until work is closed. It sends one value on ready: nil, or why it cannot
// begin.
func (l *loader) run(ready chan<- error) {
	// Never unlocked: the thread, with its name and its CPU, ends with the goroutine.
	runtime.LockOSThread()
	if err := l.settle(); err != nil {
		ready <- err
		return
	}
	if l.open != nil {
		counters := l.open()
		defer func() {
			// Nothing reads them any more, and the end of the thread closes them as well.
			_ = counters.Close()
		}()
		l.options.Counters = counters
	}
	ready <- nil
	for work := range l.work {
		r := l.load(work)
		if l.await != nil {
			l.await.wait(r)
		}
		l.results <- r
	}
}

// settle names the thread and pins it.
func (l *loader) settle() error {
	if l.comm != "" {
		name, err := unix.BytePtrFromString(l.comm)
		if err != nil {
			return fmt.Errorf("name the loader: %w", err)
		}
		if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0); err != nil {
			return fmt.Errorf("name the loader: prctl: %w", err)
		}
	}
	if l.cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(l.cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return &PinError{l.cpu, err}
	}
	return nil
}

// PinError says that loaders cannot be pinned to a CPU.
type PinError struct {
	CPU int
	Err error
}

func (e *PinError) Error() string {
	if errors.Is(e.Err, unix.EINVAL) {
		return fmt.Sprintf("pin a loader to CPU %d: there is no such CPU online, or this process may not use it", e.CPU)
	}
	return fmt.Sprintf("pin a loader to CPU %d: %v", e.CPU, e.Err)
}

func (e *PinError) Unwrap() error { return e.Err }

func (l *loader) load(work assignment) result {
	r := result{job: work.job, loader: l.number}
	options := l.options
	if l.await != nil {
		r.name = l.await.name(l.number, l.loads)
		options.Name = r.name
	}
	l.loads++
	r.start = time.Now()
	r.stats, r.err = work.prepared.Load(options)
	for l.growLog && r.err == nil && r.stats.Errno == unix.ENOSPC && options.LogSize < load.MaxLogSize {
		options.LogSize = min(4*options.LogSize, load.MaxLogSize)
		r.start = time.Now()
		r.stats, r.err = work.prepared.Load(options)
	}
	return r
}
