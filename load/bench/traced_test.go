package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// fakeSource hands on records as they are sent, until it is stopped.
type fakeSource struct {
	records chan *record.Verification
	late    []*record.Verification // once it is stopped
	err     error                  // in place of the first record
}

func newFakeSource() *fakeSource {
	return &fakeSource{records: make(chan *record.Verification)}
}

func (s *fakeSource) Run(ctx context.Context, sink record.Sink) error {
	err := sink.Begin(&record.Environment{Head: record.NewHead(record.KindEnvironment)})
	for err == nil && ctx.Err() == nil {
		select {
		case v := <-s.records:
			if err = s.err; err == nil {
				err = sink.Verification(v)
			}
		case <-ctx.Done():
			for _, v := range s.late {
				err = errors.Join(err, sink.Verification(v))
			}
		}
	}
	return errors.Join(err, sink.End(&record.Summary{}))
}

// tracedKernel sends a record of each load to the source while that loads.
func tracedKernel(t *testing.T, s *fakeSource, send func(v *record.Verification, stats *load.Stats)) *kernel {
	k := &kernel{t: t}
	k.loaded = func(_ string, o load.Options, stats *load.Stats) error {
		v := &record.Verification{ProgName: o.Name}
		v.TotalStates = uint64(stats.TotalStates)
		send(v, stats)
		return nil
	}
	return k
}

func TestTraced(t *testing.T) {
	s := newFakeSource()
	k := tracedKernel(t, s, func(v *record.Verification, _ *load.Stats) {
		s.records <- &record.Verification{ProgName: "another"}
		s.records <- v
	})
	var recorder memory
	b := New(Plan{Repeat: 2, Traced: 3, Warmup: 1, Parallel: 2}, k.programs(2), &recorder)
	if err := b.Traced(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(recorder.samples) != 6 || len(k.loads) != 8 || b.Untraced() != 0 {
		t.Fatalf("%d samples of %d loads, %d without a record", len(recorder.samples), len(k.loads), b.Untraced())
	}
	for _, sample := range recorder.samples {
		if sample.Mode != record.ModeTraced || sample.Traced == nil || sample.Traced.TotalStates != sample.TotalStates {
			t.Errorf("the record of another load: %+v", sample)
		}
	}
	if recorder.order[0] != record.KindEnvironment {
		t.Errorf("lines: %v", recorder.order)
	}
}

// A loader waits for a record that is late, for a limited time. A load whose record never
// comes has no sample.
func TestTracedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource()
		n := 0
		k := tracedKernel(t, s, func(v *record.Verification, stats *load.Stats) {
			switch n++; n {
			case 1:
				s.late = append(s.late, v)
			case 2: // lost
			case 3: // of a load that a signal restarted once
				stats.Restarts = 1
				s.records <- &record.Verification{ProgName: v.ProgName, Errno: int(unix.EAGAIN)}
				s.records <- v
			case 4: // not of this load
				v.Errno = int(unix.EPERM)
				s.records <- v
			}
		})
		var recorder memory
		b := New(Plan{Traced: 4, Parallel: 1}, k.programs(1), &recorder)
		if err := b.Traced(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		var rounds []int
		for _, sample := range recorder.samples {
			rounds = append(rounds, sample.Round)
		}
		if len(rounds) != 2 || rounds[0] != 2 || rounds[1] != 0 || b.Untraced() != 2 {
			t.Errorf("samples of rounds %v, %d without a record; want 2, 0 and two without", rounds, b.Untraced())
		}
	})
}

func TestTracerFails(t *testing.T) {
	s := newFakeSource()
	s.err = errors.New("ring buffer closed")
	k := tracedKernel(t, s, func(v *record.Verification, _ *load.Stats) { s.records <- v })
	var recorder memory
	b := New(Plan{Traced: 5, Parallel: 1}, k.programs(1), &recorder)
	if err := b.Traced(t.Context(), s); !errors.Is(err, s.err) {
		t.Errorf("error %v", err)
	}
	if len(k.loads) != 1 || len(recorder.samples) != 0 {
		t.Errorf("%d loads, %d samples", len(k.loads), len(recorder.samples))
	}
}

func TestTracedInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newFakeSource()
	n := 0
	k := tracedKernel(t, s, func(v *record.Verification, _ *load.Stats) {
		if n++; n == 3 {
			cancel()
		}
		s.records <- v
	})
	var recorder memory
	b := New(Plan{Traced: 5, Parallel: 1}, k.programs(1), &recorder)
	if err := b.Traced(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(recorder.samples) != 2 {
		t.Errorf("%d samples, want 2", len(recorder.samples))
	}
}
