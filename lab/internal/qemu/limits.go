package qemu

import (
	"errors"
	"fmt"
	"time"
)

// Limits say when a machine whose results do not come is ended.
type Limits struct {
	// Timeout is how long the guest may take, in its own time; 0 is no limit. That
	// time stands while a CPU of the guest waits for one of the host.
	Timeout time.Duration
	// Idle is how long the guest's CPUs may do nothing while it sends no results,
	// in its own time; 0 is no limit.
	Idle time.Duration
}

// Wall returns how long the guest may take by the wall clock.
func (l Limits) Wall() time.Duration { return wallPerTimeout * l.Timeout }

const (
	// wallPerTimeout is generous: two guests beside two busy loops get half of a
	// two-CPU host.
	wallPerTimeout = 4
	// An idle guest uses up to a hundredth of a CPU for its ticks, and one that runs
	// any program at all most of one: in between is a program that polls.
	idleShare = 20
	// idleBurst is what a guest may use on top: a kernel thread that wakes up now
	// and then.
	idleBurst = 500 * time.Millisecond
)

// A machine that is ended by its limits returns an error with one of these in its
// chain.
var (
	ErrTimeout = errors.New("timed out")
	ErrStarved = errors.New("starved")
	ErrIdle    = errors.New("idle")
)

// IsLimit reports whether err ended a machine for one of these.
func IsLimit(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrStarved) || errors.Is(err, ErrIdle)
}

// threadTime is what the host's scheduler counts for one thread.
type threadTime struct {
	ran    time.Duration
	waited time.Duration // runnable, and no CPU was free
}

// progress is a guest's use of time, by which it is judged.
type progress struct {
	limits      Limits
	wall, guest time.Duration // since the start
	threads     map[int]threadTime

	// The last stretch of time in which the guest may have idled: how long it is in
	// the guest's time, and what the CPUs used in it.
	stretch, used time.Duration
}

// step accounts for the time since the last step. threads are those of the guest's
// CPUs. active says that the guest is not idle, whatever its CPUs use.
func (p *progress) step(elapsed time.Duration, threads map[int]threadTime, active bool) error {
	var ran, waited time.Duration
	for id, now := range threads {
		last := p.threads[id]
		ran += now.ran - last.ran
		waited = max(waited, now.waited-last.waited)
	}
	p.threads = threads
	guest := elapsed - min(waited, elapsed)
	p.wall += elapsed
	p.guest += guest
	p.stretch += guest
	p.used += ran
	if active || p.used > p.stretch/idleShare+idleBurst {
		p.stretch, p.used = 0, 0
	}
	switch l := p.limits; {
	case l.Timeout > 0 && p.guest >= l.Timeout:
		return fmt.Errorf("%w: the guest ran for %s, and %s passed by the wall clock", ErrTimeout, seconds(p.guest), seconds(p.wall))
	case l.Timeout > 0 && p.wall >= l.Wall():
		return fmt.Errorf("%w: in %s by the wall clock the guest could run for %s", ErrStarved, seconds(p.wall), seconds(p.guest))
	case l.Idle > 0 && p.stretch >= l.Idle:
		return fmt.Errorf("%w: in %s the guest's CPUs ran for %s, and nothing came from it", ErrIdle, seconds(p.stretch), seconds(p.used))
	}
	return nil
}

func seconds(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
