package tracer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/record"
)

// Run opens a tracer for cfg, has it hand its records to sink until ctx is done, and
// closes it. Its errors are those of [Open], [Tracer.Run] and [Tracer.Close].
func Run(ctx context.Context, cfg Config, sink record.Sink) (err error) {
	t, err := Open(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.Run(ctx, sink)
}

// Run hands to sink what Config.Select wants, as [record.Sink] says, from the calling
// goroutine: each verification when its load ends. It returns once ctx is done or Close
// is called and all that was on its way has been handed on; verifications that are then
// still going on come last, as incomplete. That is not an error, and neither is
// [record.ErrStop]; an error of the sink's ends the tracing at once.
//
// A tracer runs once: a second call fails, and so does one after Close, with
// [os.ErrClosed]. Neither calls the sink.
func (t *Tracer) Run(ctx context.Context, sink record.Sink) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	ended, err := t.enter(end)
	if err != nil {
		return err
	}
	defer close(ended)

	t.sink = sink
	environment := t.environment
	err = sink.Begin(&environment)
	if err == nil {
		err = t.read(ctx, end)
	}
	summary := t.Summary()
	return errors.Join(unlessStop(err), unlessStop(sink.End(&summary)))
}

// enter makes sure that a tracer runs once, and not once it is closed. Close is to call
// end, and then to wait for what is returned.
func (t *Tracer) enter(end context.CancelFunc) (ended chan<- struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, fmt.Errorf("run the tracer: %w", os.ErrClosed)
	case t.end != nil:
		return nil, errors.New("run the tracer: it has run before")
	}
	done := make(chan struct{})
	t.end, t.ended = end, done
	return done, nil
}

func unlessStop(err error) error {
	if errors.Is(err, record.ErrStop) {
		return nil
	}
	return err
}

// read reads until ctx is done, the sink has failed or events cannot be read any more.
// Nothing is traced and no priority is raised once it returns.
func (t *Tracer) read(ctx context.Context, end context.CancelFunc) error {
	disarmed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(disarmed)
		t.source.disarm()
	})
	defer func() {
		end()
		<-disarmed
	}()
	if t.config.HighPriority {
		defer prioritize()()
	}
	if t.config.Live != nil {
		t.config.Live()
	}

	var done []*record.Verification
	for {
		raw, err := t.source.read(time.Now().Add(t.idle))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := t.reportLosses(); err != nil {
				return err
			}
			continue
		case errors.Is(err, ringbuf.ErrFlushed): // ctx is done
			if err := t.reportLosses(); err != nil {
				return err
			}
			// An allocation that was held back is an event now.
			done = t.assembler.Finish("the tracer ended")
			if t.eventErr != nil {
				return t.eventErr
			}
			return t.give(done)
		case err != nil:
			return fmt.Errorf("read events: %w", err)
		}
		if done, err = t.take(raw, done[:0]); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if t.eventErr != nil {
			return t.eventErr
		}
		if len(done) == 0 {
			continue
		}
		t.needStandIns(done)
		if err := t.reportLosses(); err != nil {
			return err
		}
		if err := t.give(done); err != nil {
			return err
		}
	}
}

// take assembles the events of one record, and appends what they complete to done.
func (t *Tracer) take(raw []byte, done []*record.Verification) ([]*record.Verification, error) {
	if err := t.decoder.open(raw); err != nil {
		return done, err
	}
	for {
		event, err := t.decoder.next()
		if event == nil || err != nil {
			return done, err
		}
		done = append(done, t.assembler.Add(event)...)
		if t.held != nil && event.Start != nil && t.decided(event.Start.Request) {
			t.held.decide(event.Verification)
		}
	}
}

// handEvent hands an event to the sink, unless one before has failed.
func (t *Tracer) handEvent(e *record.Event) {
	if t.eventErr == nil {
		t.eventErr = t.sink.Event(e)
	}
}

// give hands on those of the verifications that are selected.
func (t *Tracer) give(done []*record.Verification) error {
	for _, v := range done {
		wanted := t.selects(v)
		if t.held != nil {
			v.EventsDropped = t.held.settle(v.ID, wanted)
			if t.eventErr != nil {
				return t.eventErr
			}
		}
		if !wanted {
			t.notSelected(v.WholeName())
			continue
		}
		v.VisitsMeans = t.environment.Visits
		t.count(v)
		if err := t.sink.Verification(v); err != nil {
			return err
		}
	}
	return nil
}

// Verifications is [Tracer.Run] for a loop: it yields the verifications, and last of all
// the error, if there is one. To break out of the loop ends the tracing. Losses are in
// [Tracer.Summary].
func (t *Tracer) Verifications(ctx context.Context) iter.Seq2[*record.Verification, error] {
	return func(yield func(*record.Verification, error) bool) {
		sink := yielder{yield: yield}
		if err := t.Run(ctx, &sink); err != nil && !sink.broken {
			yield(nil, err)
		}
	}
}

// yielder is the sink of a loop.
type yielder struct {
	record.NopSink
	yield  func(*record.Verification, error) bool
	broken bool // the loop was broken out of, and must not be entered again
}

func (y *yielder) Verification(v *record.Verification) error {
	if !y.yield(v, nil) {
		y.broken = true
		return record.ErrStop
	}
	return nil
}

// source is what a running Tracer reads: the kernel, or a test's.
type source interface {
	// read waits for the ring buffer's next record, which is good until the next
	// call. It fails with os.ErrDeadlineExceeded where none comes in time, and with
	// ringbuf.ErrFlushed once all that came before disarm was read.
	read(deadline time.Time) ([]byte, error)
	// losses gives the counts so far.
	losses() (bpf.VeriallocLossCounts, error)
	// ringBytes is the size of the ring buffer, which may grow.
	ringBytes() uint64
	// standIn attaches what sees the events that the ledger's programs miss, where there is such.
	standIn() error
	// disarm has no further load traced, or there might always be one more to read.
	// It may be called while read waits, from another goroutine.
	disarm()
	// Close detaches all and releases it. Nothing else is called by then.
	Close() error
}

// attachedSource is the kernel with the programs attached.
type attachedSource struct {
	object   *object
	standIns choice
	ring     *ring
	record   ringbuf.Record
}

func (s *attachedSource) read(deadline time.Time) ([]byte, error) {
	err := s.ring.read(deadline, &s.record)
	return s.record.RawSample, err
}

func (s *attachedSource) ringBytes() uint64 { return s.ring.bytes() }

func (s *attachedSource) losses() (counts bpf.VeriallocLossCounts, err error) {
	return counts, s.object.get("losses", &counts)
}

func (s *attachedSource) standIn() error {
	if len(s.standIns.probes) == 0 {
		return nil // a lack of the environment
	}
	return s.object.standIn(s.standIns)
}

func (s *attachedSource) disarm() {
	// Both fail for a closed tracer only, which is not read.
	_ = s.object.set("ready", uint32(0))
	_ = s.ring.flush()
}

func (s *attachedSource) Close() error {
	return errors.Join(s.ring.Close(), s.object.Close())
}
