package record

// MostlyOnCPU is the share of its time below which a load that was on a CPU has a time by
// the clock that is not its own: other tasks took the CPU, or it waited.
const MostlyOnCPU = 0.8
