package workload

import (
	"errors"

	"github.com/verialloc/verialloc/tracer/record"
)

// Counters are the counters of one thread. A loader opens them once and gives them to
// each of its loads: opening and closing software events patches the kernel's code.
type Counters struct{}

// OpenCounters binds the goroutine to its thread and opens the thread's counters.
// What the machine cannot count is no error but Absent in each load's counters.
// Only the goroutine that opened them may use and close them.
func OpenCounters(memory *Cgroup) (*Counters, error) {
	return nil, errors.ErrUnsupported
}

// Close closes the counters and releases the thread.
func (c *Counters) Close() error { return nil }

var _ record.Counter
