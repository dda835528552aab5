package tracer

import (
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// The stand-ins are attached at the first record that may lack a part, and once.
func TestNeedStandIns(t *testing.T) {
	source := newFakeSource()
	tracer := &Tracer{source: source}
	whole := &record.Verification{}
	full := &record.Verification{Lossy: []record.Loss{{Reason: record.LossRingFull, Count: 1}}}
	blind := &record.Verification{Lossy: []record.Loss{{Reason: record.LossRingFull, Count: 1}, {Reason: record.LossBlind, Count: 2}}}
	for i, c := range []struct {
		done []*record.Verification
		want int
	}{
		{[]*record.Verification{whole, full}, 0},
		{[]*record.Verification{whole, blind, blind}, 1},
		{[]*record.Verification{blind}, 1},
	} {
		if tracer.needStandIns(c.done); source.standIns != c.want {
			t.Errorf("after records %d they are attached %d times, want %d", i, source.standIns, c.want)
		}
	}
}
