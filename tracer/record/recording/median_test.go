package recording

import (
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestInstructionsPerCycle(t *testing.T) {
	for _, c := range []struct {
		counters map[string]record.Counter
		want     float64
		ok       bool
	}{
		{map[string]record.Counter{"cycles": {Value: 400}, "instructions": {Value: 1000}}, 2.5, true},
		{map[string]record.Counter{"cycles": {Value: 0}, "instructions": {Value: 1000}}, 0, false},
		{map[string]record.Counter{"cycles": {Absent: "multiplexed"}, "instructions": {Value: 1000}}, 0, false},
		{map[string]record.Counter{"cycles": {Value: 400}, "instructions": {Absent: "multiplexed"}}, 0, false},
		{nil, 0, false},
	} {
		if got, ok := InstructionsPerCycle(&record.Sample{Counters: c.counters}); ok != c.ok || ok && got != c.want {
			t.Errorf("%v: %v, %t", c.counters, got, ok)
		}
	}
}
