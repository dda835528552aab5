package tracer

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/record"
)

// A clock that is a day ahead, as in a time namespace, is told as it is.
func TestCompareClocks(t *testing.T) {
	const day = int64(24 * time.Hour)
	read := func() (uint64, error) { return uint64(monotonic() + day), nil }
	c, err := compareClocks(read)
	if err != nil {
		t.Fatal(err)
	}
	before := monotonic() + day
	now, wall := c.now(), time.Now().UnixNano()
	if early := before - now; early > int64(time.Second) || now > monotonic()+day {
		t.Errorf("it is %d ns early", early)
	}
	if off := math.Abs(float64(c.unixNow() - wall)); off > float64(time.Second) {
		t.Errorf("Unix time is %g ns off", off)
	}
	broken := errors.New("broken")
	if _, err := compareClocks(func() (uint64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("a clock that cannot be read: %v", err)
	}
}

// The wall clock was set back by an hour since the start: all lines go on by the old one.
func TestStepOfTheWallClock(t *testing.T) {
	const hour = int64(time.Hour)
	source := newFakeSource(begunBefore("one"))
	source.counts = bpf.VeriallocLossCounts{RingFull: 1}
	tracer := tracerOn(source, Config{})
	tracer.clock = clock{unixOffsetNS: time.Now().UnixNano() + hour - monotonic()}
	tracer.newAssembler()
	var times []int64
	sink := timeSink{note: func(unixNS int64) { times = append(times, unixNS-time.Now().UnixNano()) }}
	if err := tracer.Run(ended(t.Context()), sink); err != nil {
		t.Fatal(err)
	}
	if len(times) != 2 {
		t.Fatalf("%d lines, want the losses and the summary", len(times))
	}
	for _, ahead := range times {
		if math.Abs(float64(ahead-hour)) > float64(time.Minute) {
			t.Errorf("a line is %v ahead of the wall clock, want an hour", time.Duration(ahead))
		}
	}
}

// timeSink notes the times of the lines that the tracer itself dates.
type timeSink struct {
	record.NopSink
	note func(unixNS int64)
}

func (s timeSink) Loss(r *record.LossReport) error {
	s.note(r.TimeUnixNS)
	return nil
}

func (s timeSink) End(summary *record.Summary) error {
	s.note(summary.TimeUnixNS)
	return nil
}
