package record

// MostlyOnCPU is the share of its time below which a load that was on a CPU has a time by
// the clock that is not its own: other tasks took the CPU, or it waited.
const MostlyOnCPU = 0.8

// OnCPU returns the share of its duration that the task was on a CPU, 0 to 1; not ok where
// that is not known.
func (v *Verification) OnCPU() (share float64, ok bool) {
	if v.CPUTimeNS == 0 || v.DurationNS == 0 {
		return 0, false
	}
	return float64(v.CPUTimeNS) / float64(v.DurationNS), true
}
