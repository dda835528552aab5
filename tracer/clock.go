package tracer

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// clock is the clock of the events, bpf_ktime_get_ns(), as this process can tell it. It
// goes on evenly where the wall clock is set, and all lines of a feed have their times
// from it. It does not go on while the machine is suspended.
type clock struct {
	aheadNS      int64 // of this process's CLOCK_MONOTONIC: not 0 in a time namespace
	unixOffsetNS int64 // what to add for Unix time, as the wall clock stood at the start
}

// now is the time now, at most some microseconds early and never late.
func (c clock) now() int64 { return monotonic() + c.aheadNS }

// unixNow is now as Unix time.
func (c clock) unixNow() int64 { return c.now() + c.unixOffsetNS }

// monotonic reads this process's CLOCK_MONOTONIC, in nanoseconds.
func monotonic() int64 {
	var now unix.Timespec
	// It fails for an unknown clock only.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}

// clockReadings is how often the clocks are compared; the reading that took least is
// taken.
const clockReadings = 16

// readClock compares the clocks by a program that reads its own: /proc/self/timens_offsets
// has the offsets of the namespace that children will be in, which may be another.
func (o *object) readClock() (clock, error) {
	prog, err := o.program(probe{program: "read_clock"})
	if err != nil {
		return clock{}, fmt.Errorf("load: %w", err)
	}
	return compareClocks(func() (now uint64, err error) {
		if _, err := prog.Run(nil); err != nil {
			return 0, err
		}
		return now, o.get("clock_ns", &now)
	})
}

// compareClocks compares the clock that read reads with this process's own and with the
// wall clock.
func compareClocks(read func() (uint64, error)) (c clock, err error) {
	least := int64(-1)
	for range clockReadings {
		wall, before := time.Now().UnixNano(), monotonic()
		now, err := read()
		if err != nil {
			return clock{}, err
		}
		after := monotonic()
		if took := after - before; least < 0 || took < least {
			least = took
			c = clock{aheadNS: int64(now) - after, unixOffsetNS: wall - int64(now)}
		}
	}
	return c, nil
}
