package qemu

import (
	"errors"
	"maps"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestProgress plays a guest second by second: what its CPUs run and wait of each.
func TestProgress(t *testing.T) {
	const ms = time.Millisecond
	type second struct {
		ran, waited time.Duration
		active      bool
	}
	limits := Limits{Timeout: 100 * time.Second, Idle: 40 * time.Second}
	busy := func(int) []second { return []second{{ran: 950 * ms}} }
	idle := func(int) []second { return []second{{ran: 3 * ms, waited: 5 * ms}} }
	for name, test := range map[string]struct {
		limits Limits
		at     func(second int) []second // of each CPU
		want   error
		after  int // seconds by the wall clock
	}{
		"busy":            {limits, busy, ErrTimeout, 100},
		"half of the CPU": {limits, func(int) []second { return []second{{ran: 475 * ms, waited: 500 * ms}} }, ErrTimeout, 200},
		"starved":         {limits, func(int) []second { return []second{{ran: 100 * ms, waited: 890 * ms}} }, ErrStarved, 400},
		"one CPU of two starved": {
			limits, func(int) []second { return []second{{ran: 950 * ms}, {waited: 1000 * ms}} }, ErrStarved, 400,
		},
		"idle":              {limits, idle, ErrIdle, 41},
		"idle on two CPUs":  {limits, func(int) []second { return []second{{ran: 3 * ms}, {ran: 5 * ms}} }, ErrIdle, 40},
		"idle and starved":  {limits, func(int) []second { return []second{{ran: 3 * ms, waited: 500 * ms}} }, ErrIdle, 80},
		"idle, not watched": {Limits{Timeout: limits.Timeout}, idle, ErrTimeout, 101},
		"no limits":         {Limits{}, idle, nil, 1000},
		"output":            {limits, func(int) []second { return []second{{active: true}} }, ErrTimeout, 100},
		"waits, then works": {
			limits, func(at int) []second {
				if at%40 < 35 {
					return idle(at)
				}
				return busy(at)
			}, ErrTimeout, 101,
		},
		"idle after work": {
			limits, func(at int) []second {
				if at < 20 {
					return busy(at)
				}
				return idle(at)
			}, ErrIdle, 61,
		},
	} {
		p := progress{limits: test.limits}
		total := map[int]threadTime{}
		var (
			err   error
			after int
		)
		for err == nil && after < 1000 {
			active := false
			for cpu, s := range test.at(after) {
				total[cpu] = threadTime{total[cpu].ran + s.ran, total[cpu].waited + s.waited}
				active = active || s.active
			}
			err = p.step(time.Second, maps.Clone(total), active)
			after++
		}
		if !errors.Is(err, test.want) || after != test.after {
			t.Errorf("%s: got %v after %d s, want %v after %d s", name, err, after, test.want, test.after)
		}
		if err != nil && !IsLimit(err) {
			t.Errorf("%s: %v is no limit", name, err)
		}
	}
}

// TestThreadTimes burns CPU time on a thread of this process until it is seen.
func TestThreadTimes(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	total := func() (sum time.Duration) {
		t.Helper()
		threads, err := threadTimes(os.Getpid())
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the kernel keeps no schedstat")
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, main := threads[os.Getpid()]; main {
			t.Error("the main thread runs no CPU of a guest")
		}
		for _, thread := range threads {
			sum += thread.ran
		}
		return sum
	}
	start := total()
	var stop atomic.Bool
	defer stop.Store(true)
	for range 2 { // one of them may be the main thread
		go func() {
			runtime.LockOSThread()
			for !stop.Load() {
			}
		}()
	}
	for total() < start+20*time.Millisecond {
		runtime.Gosched()
	}
}
