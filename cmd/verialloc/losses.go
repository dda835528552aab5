package main

import (
	"time"

	"github.com/verialloc/verialloc/exporter/view/table"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// warnEvery is the least time between two warnings of losses.
const warnEvery = time.Second

// lossWarner is a sink that warns people of losses: at the first report, then at most
// once in warnEvery, and at the last.
type lossWarner struct {
	record.NopSink
	firstRing uint64 // size at the start
	ringBytes uint64
	warn      func(text string)
	note      func(text string)
	last      time.Time
	pending   *record.LossReport // not shown yet
}

// Begin notes the size that advice is about.
func (w *lossWarner) Begin(e *record.Environment) error {
	w.firstRing, w.ringBytes = e.RingBytes, e.RingBytes
	return nil
}

// Loss shows a report, or keeps it for later.
func (w *lossWarner) Loss(r *record.LossReport) error {
	w.pending, w.ringBytes = r, max(w.ringBytes, r.RingBytes)
	if time.Since(w.last) >= warnEvery {
		w.flush()
	}
	return nil
}

// End shows what was held back, and says how far the ring buffer grew.
func (w *lossWarner) End(summary *record.Summary) error {
	w.flush()
	if summary.RingBytes > w.firstRing {
		first, last := ringSize(w.firstRing), ringSize(summary.RingBytes)
		w.note("the ring buffer grew from " + first.String() + " to " + last.String())
	}
	return nil
}

// flush shows what was held back.
func (w *lossWarner) flush() {
	if w.pending == nil {
		return
	}
	r := *w.pending
	if advice := w.advice(r.Losses); advice != "" {
		r.Advice = advice
	}
	w.warn(table.LossText(&r))
	w.last, w.pending = time.Now(), nil
}

// advice is the flag to set where the ring buffer is too small; empty where it is not
// that.
func (w *lossWarner) advice(losses []record.Loss) string {
	switch {
	case record.RemedyOf(losses) != record.RemedyRing:
		return ""
	case w.ringBytes == 0 || w.ringBytes >= tracer.MaxRingBytes:
		return "trace less at once: --pid, --comm or COMMAND"
	default:
		// Eight times as large: to repeat a run twice is worse than to spend memory.
		size := ringSize(min(8*w.ringBytes, tracer.MaxRingBytes))
		return "try --ring-size " + size.String()
	}
}
