package recording

import (
	"math"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func timed(syscall, verifier, clock uint64) *record.Sample {
	return &record.Sample{
		VerifierStats: record.VerifierStats{SyscallNS: syscall, VerifierTimeNS: verifier},
		Counters:      map[string]record.Counter{record.CounterTaskClock: {Value: clock}},
	}
}

func TestVerifierCPUTime(t *testing.T) {
	for _, c := range []struct {
		name            string
		sample          *record.Sample
		share, ns       float64
		shareOK, timeOK bool
	}{
		{"alone", timed(1000, 900, 1010), 1, 900, true, true},
		{"half the time", timed(1000, 900, 500), 0.5, 400, true, true},
		{"off the CPU outside as well", timed(1000, 300, 250), 0.25, 250, true, true},
		{"off the CPU outside alone", timed(1000, 100, 250), 0.25, 100, true, true},
		{"no verification", timed(1000, 0, 500), 0.5, 0, true, false},
		{"no system call", timed(0, 900, 500), 0, 0, false, false},
		{"no clock", &record.Sample{VerifierStats: record.VerifierStats{SyscallNS: 1000, VerifierTimeNS: 900}}, 0, 0, false, false},
		{"a clock that is absent", &record.Sample{
			VerifierStats: record.VerifierStats{SyscallNS: 1000, VerifierTimeNS: 900},
			Counters:      map[string]record.Counter{record.CounterTaskClock: {Absent: "not permitted"}},
		}, 0, 0, false, false},
	} {
		share, ok := OnCPU(c.sample)
		if share != c.share || ok != c.shareOK {
			t.Errorf("%s: on a CPU %v, %v", c.name, share, ok)
		}
		if ns, ok := VerifierCPUTime(c.sample); math.Abs(ns-c.ns) > 1e-9 || ok != c.timeOK {
			t.Errorf("%s: %v ns, %v; want %v", c.name, ns, ok, c.ns)
		}
	}
}

func TestContention(t *testing.T) {
	busy, quiet := timed(1000, 900, 30), timed(1000, 900, 990)
	for _, c := range []struct {
		name      string
		bare      []*record.Sample
		share     float64
		contended bool
	}{
		{"most", []*record.Sample{busy, quiet, busy}, 0.03, true},
		{"one of three", []*record.Sample{busy, quiet, quiet}, 0.99, false},
		{"none", nil, math.NaN(), false},
	} {
		l := Loads{Bare: c.bare}
		share, contended := l.Contention()
		if contended != c.contended || share != c.share && !math.IsNaN(c.share) {
			t.Errorf("%s: %v, %v", c.name, share, contended)
		}
	}
}
