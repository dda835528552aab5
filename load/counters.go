package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// event is an event that perf_event_open(2) counts.
type event struct {
	name   string
	kind   uint32
	config uint64
	flags  uint64
}

// events are counted for the thread, in user space and in the kernel unless flags exclude
// one of them. Those of one kind follow each other.
var events = []event{
	{record.CounterUserFaults, unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_PAGE_FAULTS, unix.PerfBitExcludeKernel},
	{record.CounterKernelFaults, unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_PAGE_FAULTS, unix.PerfBitExcludeUser},
	{record.CounterTaskClock, unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_TASK_CLOCK, 0},
	{record.CounterContextSwitches, unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CONTEXT_SWITCHES, 0},
	{record.CounterMigrations, unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CPU_MIGRATIONS, 0},
	{record.CounterCycles, unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CPU_CYCLES, 0},
	{record.CounterInstructions, unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS, 0},
}

// Counters are the counters of one thread. A loader opens them once for all its loads:
// opening and closing software events patches the kernel's code.
type Counters struct {
	memory *Cgroup
	events []openEvent
	// leaders are the first event of each kind, which leads the group of that kind. The
	// events of a group start and stop together. The kinds are apart so that software
	// events count even where the hardware has too few counters for its own.
	leaders []int
	before  unix.Rusage
}

// openEvent is an event that is open, or the reason why it is not.
type openEvent struct {
	name   string
	fd     int
	absent string
	// enabled and running are the event's times up to the last load, in nanoseconds. The
	// kernel resets the count alone.
	enabled, running uint64
}

// OpenCounters locks the goroutine to its thread, until Close, and opens the counters of
// the thread. A counter that the machine does not have is Absent, with the reason, in the
// counters of each load. Only the goroutine that opened the counters may use and close them.
//
// memory measures memory_peak_bytes; with nil the loads have no such counter.
func OpenCounters(memory *Cgroup) *Counters {
	runtime.LockOSThread()
	c := &Counters{memory: memory}
	leader := -1
	for i, e := range events {
		if i > 0 && e.kind != events[i-1].kind {
			leader = -1
		}
		opened := e.open(leader)
		if leader < 0 && opened.fd >= 0 {
			leader = opened.fd
			c.leaders = append(c.leaders, leader)
		}
		c.events = append(c.events, opened)
	}
	return c
}

// open opens the event for the calling thread, without starting it, in the group of
// leader; -1: in a group of its own.
func (e event) open(leader int) openEvent {
	flags := e.flags | unix.PerfBitExcludeHv
	if leader < 0 {
		flags |= unix.PerfBitDisabled // the others count when their leader does
	}
	attr := unix.PerfEventAttr{
		Type:        e.kind,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config:      e.config,
		Bits:        flags,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, leader, unix.PERF_FLAG_FD_CLOEXEC)
	switch {
	case err == nil:
		return openEvent{name: e.name, fd: fd}
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV):
		return openEvent{name: e.name, fd: -1, absent: "this machine has no such counter"}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return openEvent{name: e.name, fd: -1, absent: "not permitted: it needs CAP_PERFMON or a lower kernel.perf_event_paranoid"}
	}
	return openEvent{name: e.name, fd: -1, absent: fmt.Sprintf("perf_event_open: %v", err)}
}

// Close closes the counters and releases the thread.
func (c *Counters) Close() error {
	defer runtime.UnlockOSThread()
	var errs []error
	for _, e := range c.events {
		if e.fd >= 0 {
			errs = append(errs, unix.Close(e.fd))
		}
	}
	return errors.Join(errs...)
}

// start begins to count from 0. nil Counters count nothing.
func (c *Counters) start() error {
	if c == nil {
		return nil
	}
	if err := c.memory.start(); err != nil {
		return err
	}
	if err := c.control(unix.PERF_EVENT_IOC_RESET, unix.PERF_IOC_FLAG_GROUP); err != nil {
		return fmt.Errorf("reset counters: %w", err)
	}
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &c.before); err != nil {
		return fmt.Errorf("getrusage: %w", err)
	}
	if err := c.control(unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return fmt.Errorf("enable counters: %w", err)
	}
	return nil
}

// control makes a request to all groups. Events that others opened for the thread, such as
// a tracer, are not affected.
func (c *Counters) control(request uint, flags int) error {
	for _, leader := range c.leaders {
		if err := unix.IoctlSetInt(leader, request, flags); err != nil {
			return err
		}
	}
	return nil
}

// stop stops counting and returns the counters.
func (c *Counters) stop() (map[string]record.Counter, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.control(unix.PERF_EVENT_IOC_DISABLE, 0); err != nil {
		return nil, fmt.Errorf("disable counters: %w", err)
	}
	var after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &after); err != nil {
		return nil, fmt.Errorf("getrusage: %w", err)
	}
	counted := map[string]record.Counter{
		record.CounterMinorFaults: {Value: uint64(after.Minflt - c.before.Minflt)},
		record.CounterMajorFaults: {Value: uint64(after.Majflt - c.before.Majflt)},
	}
	if c.memory != nil {
		counted[record.CounterMemoryPeak] = c.memory.stop()
	}
	for i := range c.events {
		var err error
		if counted[c.events[i].name], err = c.events[i].read(); err != nil {
			return nil, err
		}
	}
	return counted, nil
}

// read returns the event's count. It is absent if the hardware had too few counters to
// count the event all the time.
func (e *openEvent) read() (record.Counter, error) {
	if e.absent != "" {
		return record.Counter{Absent: e.absent}, nil
	}
	var buf [24]byte
	n, err := unix.Read(e.fd, buf[:])
	if err != nil {
		return record.Counter{}, fmt.Errorf("read counter %s: %w", e.name, err)
	}
	if n != len(buf) {
		return record.Counter{}, fmt.Errorf("read counter %s: the kernel stopped it", e.name)
	}
	value := binary.NativeEndian.Uint64(buf[:])
	enabled, running := binary.NativeEndian.Uint64(buf[8:]), binary.NativeEndian.Uint64(buf[16:])
	multiplexed := running-e.running < enabled-e.enabled
	e.enabled, e.running = enabled, running
	if multiplexed {
		return record.Counter{Absent: "multiplexed: more events than the machine has counters for"}, nil
	}
	return record.Counter{Value: value}, nil
}
