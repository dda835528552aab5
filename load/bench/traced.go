package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// Source passes a tracer's records of the loads by threads that have the bench's name to a
// sink. It is a *tracer.Tracer, or a fake in a test.
type Source interface {
	Run(context.Context, record.Sink) error
}

// newComm makes a name for a bench's traced loaders that no other thread has.
func newComm() string {
	return fmt.Sprintf("verialloc%06x", rand.Uint32N(1<<24)) // 15 bytes, what the kernel keeps
}

// Comm returns the name of the threads that make traced loads. A tracer that filters by it
// leaves out the loads of other processes, and all other loads of this process.
func (b *Bench) Comm() string { return b.comm }

// Untraced returns how many traced loads have no sample because the tracer's record of
// them was lost.
func (b *Bench) Untraced() int { return len(b.late) }

// Traced takes the traced samples with a tracer that is attached; its Run has returned when
// Traced returns. The errors are those of Bare and those of the tracer.
//
// Each load has a name of its own, so that its record cannot be taken for another's.
// A loader makes the next load only when the tracer has passed on the record of the one
// before, or after a second: that record may still come, until the end.
func (b *Bench) Traced(ctx context.Context, tracer Source) error {
	jobs := b.plan.rounds(b.random, len(b.programs), b.plan.Traced)
	if len(jobs) == 0 {
		return nil
	}
	// The tracer goes on until the last load has ended, whatever ends the loads.
	tracing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMatcher(b.recorder.Environment)
	ended := make(chan error, 1)
	go func() {
		err := tracer.Run(tracing, m)
		if err != nil {
			cancel() // before a loader learns that no more records come
		}
		m.notify(func() { m.ended = true })
		ended <- err
	}()
	select {
	case <-m.begun:
	case err := <-ended:
		return err
	}

	c := crew{mode: record.ModeTraced, comm: b.comm, await: m}
	err := b.run(running, jobs, c)
	stop()
	tracerErr := <-ended
	late := b.late
	b.late = nil
	err = errors.Join(err, b.give(late, c))
	if tracerErr != nil {
		return tracerErr
	}
	return err
}

// patience is how long a loader waits for the record of its load.
const patience = time.Second

// matcher is a sink that matches loads with their records, by the names of the loads.
type matcher struct {
	record.NopSink
	environment func(*record.Environment) error
	begun       chan struct{} // closed when the tracer is live

	mu      sync.Mutex
	records map[string][]*record.Verification // several for a load that was restarted
	came    chan struct{}                     // closed and replaced at each record
	ended   bool
}

func newMatcher(environment func(*record.Environment) error) *matcher {
	return &matcher{
		environment: environment, begun: make(chan struct{}),
		records: map[string][]*record.Verification{}, came: make(chan struct{}),
	}
}

// Begin gives the recorder the environment, and lets the loads begin.
func (m *matcher) Begin(e *record.Environment) error {
	if err := m.environment(e); err != nil {
		return err
	}
	close(m.begun)
	return nil
}

// Verification keeps the record of a load.
func (m *matcher) Verification(v *record.Verification) error {
	m.notify(func() { m.records[v.ProgName] = append(m.records[v.ProgName], v) })
	return nil
}

// name names a loader's n-th load, in the 15 bytes that the kernel keeps.
func (m *matcher) name(loader, n int) string {
	return fmt.Sprintf("va%d_%d", loader, n)
}

func (m *matcher) notify(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	close(m.came)
	m.came = make(chan struct{})
}

// wait returns when the record of a load has come, when no record will follow, or when
// patience is over.
func (m *matcher) wait(r result) {
	timeout := time.After(patience)
	for {
		m.mu.Lock()
		came, done := m.came, m.ended || len(m.records[r.name]) > r.stats.Restarts
		m.mu.Unlock()
		if done {
			return
		}
		select {
		case <-came:
		case <-timeout:
			return
		}
	}
}

// take returns the record of a load, nil if it has not come. For a load that was restarted
// it is the record of the last try.
func (m *matcher) take(r result) *record.Verification {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := m.records[r.name]
	if len(records) != r.stats.Restarts+1 {
		return nil
	}
	delete(m.records, r.name)
	last := records[r.stats.Restarts]
	if unix.Errno(last.Errno) != r.stats.Errno {
		return nil // another process has a thread and a program of these names
	}
	return last
}
