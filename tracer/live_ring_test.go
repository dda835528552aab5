package tracer

import (
	"context"
	"os"
	"testing"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// smallRing opens a tracer whose ring buffer has 64 KiB and may grow to most.
func smallRing(t *testing.T, most int) *Tracer {
	t.Helper()
	tracer, err := Open(Config{IncludeSelf: true, PID: os.Getpid(), RingBytes: 64 << 10, WakeupBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	tracer.source.(*attachedSource).ring.most = most
	t.Cleanup(func() {
		if err := tracer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return tracer
}

// filler is a sink that is late: at each record it loads programs until the ring buffer is
// nearly full, and ends the tracing once that has enough bytes.
type filler struct {
	record.NopSink
	t       *testing.T
	ring    *ring
	enough  uint64
	cancel  context.CancelFunc
	loads   int
	records []*record.Verification
}

func (f *filler) Verification(v *record.Verification) error {
	f.records = append(f.records, v)
	if f.ring.bytes() >= f.enough {
		f.cancel()
		return nil
	}
	for f.ring.reader.AvailableBytes() <= f.ring.reader.BufferSize()/4*3 {
		loadCase(f.t, generate.Stress(10))
		f.loads++
	}
	return nil
}

// A ring buffer that is nearly full is replaced by a larger one: nothing is lost, and all
// comes in its order.
func TestLiveRingGrows(t *testing.T) {
	requireLive(t)
	const most = 1 << 20
	tracer := smallRing(t, most)
	ctx, cancel := context.WithCancel(t.Context())
	f := &filler{t: t, ring: tracer.source.(*attachedSource).ring, enough: most, cancel: cancel, loads: 1}
	loadCase(t, generate.Stress(10))
	if err := tracer.Run(ctx, f); err != nil {
		t.Fatal(err)
	}
	for i, v := range f.records {
		if !v.Exact || i > 0 && v.ID <= f.records[i-1].ID {
			t.Errorf("record %d of %d: number %d, lossy %v", i, len(f.records), v.ID, v.Lossy)
		}
	}
	summary := tracer.Summary()
	if len(f.records) != f.loads || len(summary.Losses) > 0 || summary.RingBytes != most || tracer.Environment().RingBytes != 64<<10 {
		t.Errorf("%d records of %d loads, losses %v, a ring of %d bytes", len(f.records), f.loads, summary.Losses, summary.RingBytes)
	}
	t.Logf("%d records, a ring of %d bytes", len(f.records), summary.RingBytes)
}

// While loads go on a ring buffer that is far too small grows until it is not, and what was
// lost by then is told; one of a given size stays.
func TestLiveRingOverflows(t *testing.T) {
	requireLive(t)
	for _, most := range []int{0, 64 << 20} {
		tracer := smallRing(t, most)
		ctx, cancel := context.WithCancel(t.Context())
		sink := &cutter{cut: func() {}}
		ran := make(chan error, 1)
		go func() { ran <- tracer.Run(ctx, sink) }()
		want, err := load.Parallel(t.Context(), 4, 5, generate.Stress(1000).Spec, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
		summary := tracer.Summary()
		exact := 0
		for _, v := range sink.records {
			if v.Exact {
				exact++
				checkExact(t, v, want[v.ProgName])
			}
		}
		t.Logf("up to %d bytes: %d, %d of %d exact, losses %v", most, summary.RingBytes, exact, len(want), summary.Losses)
		if grown := summary.RingBytes > 64<<10; grown != (most > 0) {
			t.Errorf("a ring of 64 KiB that may grow to %d has %d bytes", most, summary.RingBytes)
		}
		if exact < len(want) && len(summary.Losses) == 0 && most == 0 {
			t.Errorf("%d of %d loads are exact, and no loss is told", exact, len(want))
		}
	}
}
