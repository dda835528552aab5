package tracer

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// The stand-ins are attached at the first record that may lack a part, and once; if that
// fails, the summary has why.
func TestNeedStandIns(t *testing.T) {
	source := newFakeSource()
	source.standErr = fmt.Errorf("attach: %w", syscall.EBUSY)
	tracer := &Tracer{source: source}
	whole := &record.Verification{}
	full := &record.Verification{Lossy: []record.Loss{{Reason: record.LossRingFull, Count: 1}}}
	blind := &record.Verification{Lossy: []record.Loss{{Reason: record.LossRingFull, Count: 1}, {Reason: record.LossBlind, Count: 2}}}
	for i, c := range []struct {
		done []*record.Verification
		want int
		why  string // they are not attached
	}{
		{[]*record.Verification{whole, full}, 0, ""},
		{[]*record.Verification{whole, blind, blind}, 1, "attach: device or resource busy"},
		{[]*record.Verification{blind}, 1, "attach: device or resource busy"},
	} {
		if tracer.needStandIns(c.done); source.standIns != c.want {
			t.Errorf("after records %d they are attached %d times, want %d", i, source.standIns, c.want)
		}
		if got := tracer.summary.StandInsAbsent; got != c.why {
			t.Errorf("after records %d they are absent as %q, want %q", i, got, c.why)
		}
	}
}
