package assemble

// statesCounter follows the verifier's count of states from its allocations.
type statesCounter struct {
	rule     PeakRule
	total    uint64 // state lists allocated
	live     int64  // as the verifier counts, see free
	maximum  int64
	draining bool
}

func (c *statesCounter) alloc(kind stateKind) {
	switch kind {
	case stateList:
		c.total++
		c.live++
	case stateBackedge:
		if c.rule == PeakMaximum {
			c.live++
		}
	case stateCurrent:
		c.draining = false
	}
	c.maximum = max(c.maximum, c.live)
}

// free takes a state off the count if the verifier does. When a subprogram is
// done, free_states() first frees env->cur_state, allocated by do_check_common
// at its start, and then all lists, without touching the counts.
func (c *statesCounter) free(kind stateKind) {
	switch kind {
	case stateCurrent:
		c.draining = true
	case stateList:
		if !c.draining {
			c.live--
		}
	case stateBackedge:
		if !c.draining && c.rule == PeakMaximum {
			c.live--
		}
	}
}

func (c *statesCounter) peak() uint64 {
	if c.rule == PeakMaximum {
		return uint64(c.maximum)
	}
	return uint64(max(c.live, 0))
}
