package recording

import "github.com/verialloc/verialloc/tracer/record"

// OnCPU gives the share of bpf(2) that the loading thread was on a CPU, 0 to 1; none of a
// sample without a task clock, and none of a traced one.
func OnCPU(s *record.Sample) (share float64, ok bool) {
	clock, ok := Counter(record.CounterTaskClock)(s)
	if !ok || s.SyscallNS == 0 {
		return 0, false
	}
	// The clock also has what it takes to start and stop it.
	return min(clock/float64(s.SyscallNS), 1), true
}

// Contention gives the share that the bare loads of a program were on a CPU, the median of
// them, where that is below [record.MostlyOnCPU].
func (l *Loads) Contention() (share float64, contended bool) {
	share, ok := MedianOf(l.Bare, OnCPU)
	return share, ok && share < record.MostlyOnCPU
}

// VerifierCPUTime gives the CPU time of a bare sample's verification in nanoseconds: its
// time by the clock less all the time of bpf(2) that the thread was on no CPU. It may have
// been so before or after the verification too, of which nothing says more: where less
// than nothing is left it is the CPU time of all of bpf(2). None where either clock is missing.
func VerifierCPUTime(s *record.Sample) (ns float64, ok bool) {
	share, ok := OnCPU(s)
	wall, alsoOK := VerifierTime(s)
	if !ok || !alsoOK {
		return 0, false
	}
	syscall := float64(s.SyscallNS)
	if ns = wall - (1-share)*syscall; ns <= 0 {
		ns = min(wall, share*syscall)
	}
	return ns, ns > 0
}
