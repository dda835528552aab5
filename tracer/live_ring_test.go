package tracer

import (
	"context"
	"os"
	"sync"
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
// nearly full, and ends the tracing once it has come to what it is after.
type filler struct {
	record.NopSink
	t       *testing.T
	ring    *ring
	enough  func() bool
	end     func() error
	ended   bool
	loads   int
	records []*record.Verification
}

func (f *filler) Verification(v *record.Verification) error {
	f.records = append(f.records, v)
	if !f.ended && f.enough() {
		f.ended = true
		return f.end()
	}
	for !f.ended && f.ring.reader.AvailableBytes() <= f.ring.reader.BufferSize()/4*3 {
		loadCase(f.t, generate.Stress(10))
		f.loads++
	}
	return nil
}

// A ring buffer that is nearly full is replaced by a larger one: nothing is lost, and all
// comes in its order, also where the tracing ends while the smaller one is still to be read.
// What a sink gives up that has had enough is released all the same: smallRing looks.
func TestLiveRingGrows(t *testing.T) {
	requireLive(t)
	const most = 1 << 20
	for _, c := range []struct {
		name   string
		enough func(*ring) bool
		cancel bool // the context; else the sink has had enough
	}{
		{"to its end", func(r *ring) bool { return r.bytes() >= most }, true},
		{"cancelled", func(r *ring) bool { return r.old != nil }, true},
		{"stopped", func(r *ring) bool { return r.old != nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer := smallRing(t, most)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := tracer.source.(*attachedSource).ring
			f := &filler{t: t, ring: r, loads: 1, enough: func() bool { return c.enough(r) }}
			f.end = func() error {
				if !c.cancel {
					return record.ErrStop
				}
				cancel()
				return nil
			}
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
			if all := len(f.records) == f.loads; !f.ended || all != c.cancel || len(summary.Losses) > 0 {
				t.Errorf("%d records of %d loads, losses %v", len(f.records), f.loads, summary.Losses)
			}
			if summary.RingBytes <= 64<<10 || summary.RingBytes > most || tracer.Environment().RingBytes != 64<<10 {
				t.Errorf("a ring of %d bytes", summary.RingBytes)
			}
			t.Logf("%d records of %d loads, a ring of %d bytes", len(f.records), f.loads, summary.RingBytes)
		})
	}
}

// growth is a sink that tells when the ring buffer has grown.
type growth struct {
	record.NopSink
	ring    *ring
	first   uint64
	tell    func() // once
	records []*record.Verification
}

func (g *growth) Verification(v *record.Verification) error {
	g.records = append(g.records, v)
	if g.ring.bytes() > g.first {
		g.tell()
	}
	return nil
}

// While loads go on a ring buffer that is far too small grows until it is not; one of a given
// size stays. What was lost is told: a load is exact, or lossy, or its loss is one that leaves
// loads without a record.
func TestLiveRingOverflows(t *testing.T) {
	requireLive(t)
	for _, most := range []int{0, 64 << 20} {
		tracer := smallRing(t, most)
		ctx, cancel := context.WithCancel(t.Context())
		grown := make(chan struct{})
		sink := &growth{
			ring: tracer.source.(*attachedSource).ring, first: 64 << 10, tell: sync.OnceFunc(func() { close(grown) }),
		}
		ran := make(chan error, 1)
		go func() { ran <- tracer.Run(ctx, sink) }()
		want, err := load.Parallel(t.Context(), 4, 5, generate.Stress(1000).Spec, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		losses, err := tracer.source.losses()
		if err != nil {
			t.Fatal(err)
		}
		// A reader that keeps up has no need of a larger one. One that does not finds the
		// ring nearly full, however late it comes; the sink has to be shown a record then.
		for full := most > 0 && losses.RingFull > 0; full; {
			select {
			case <-grown:
				full = false
			default:
				loadCase(t, generate.Stress(10))
			}
		}
		cancel()
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
		summary := tracer.Summary()
		exact, seen := 0, map[string]bool{}
		for _, v := range sink.records {
			stats, ok := want[v.ProgName]
			switch {
			case !v.Exact && len(v.Lossy) == 0:
				t.Errorf("%s is neither exact nor lossy", v.ProgName)
			case v.Exact && ok:
				exact++
				checkExact(t, v, stats)
			}
			if ok {
				seen[v.ProgName] = true
			}
		}
		t.Logf("up to %d bytes: %d, %d of %d exact, losses %v", most, summary.RingBytes, exact, len(want), summary.Losses)
		if len(seen) < len(want) && !record.Unrecorded(summary.Losses) {
			t.Errorf("%d of %d loads have a record, losses %v", len(seen), len(want), summary.Losses)
		}
		if most == 0 && summary.RingBytes != 64<<10 {
			t.Errorf("a ring of 64 KiB that may not grow has %d bytes", summary.RingBytes)
		}
		if summary.RingBytes > max(uint64(most), 64<<10) {
			t.Errorf("a ring that may grow to %d bytes has %d", most, summary.RingBytes)
		}
	}
}
