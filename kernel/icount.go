package kernel

import (
	"errors"
	"fmt"
	"math"
)

// Loops of sizes that differ by icountStep, each run icountTries times, show whether time
// passes by instructions.
const (
	icountSizes = 12
	icountTries = 5
	icountStep  = 100
	maxShift    = 10 // QEMU's own greatest (icount.c, MAX_ICOUNT_SHIFT)
)

// icount returns whether TCG lets time pass by the instructions that it executes (QEMU's
// -icount): off, or shift=N, as that option writes it, where each takes 2^N ns. The time
// stamp counter then is that time, so that a loop takes exactly so many ticks as it has
// instructions; without the option it is the host's, which no two runs agree on. An
// interrupt makes a run longer, so the shortest of several counts. Only TCG has it.
func (p processor) icount(hypervisor Fact[string]) Fact[string] {
	name, ok := hypervisor.Get()
	switch {
	case !ok:
		return Unknown[string](fmt.Errorf("only TCG counts instructions, and whether it runs this machine is not known: %w", hypervisor.Why()))
	case name != "TCG":
		return Absent[string](errors.New("only TCG counts instructions"))
	}
	shift := -1
	var before uint64
	for i := range uint64(icountSizes) {
		ticks := uint64(math.MaxUint64)
		for range icountTries {
			ticks = min(ticks, p.loopTicks(icountStep*(i+1)))
		}
		if i > 0 {
			next := shiftOf(ticks - before)
			if next < 0 || shift >= 0 && next != shift {
				return Known("off")
			}
			shift = next
		}
		before = ticks
	}
	return Known(fmt.Sprintf("shift=%d", shift))
}

// shiftOf returns by how much the ticks of icountStep more rounds of two instructions each
// are shifted, -1 if that is not what they are.
func shiftOf(ticks uint64) int {
	for shift := range maxShift + 1 {
		if ticks == 2*icountStep<<shift {
			return shift
		}
	}
	return -1
}
