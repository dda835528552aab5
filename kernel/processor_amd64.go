package kernel

// cpuid executes CPUID with ECX 0.
//
//go:noescape
func cpuid(leaf uint32) (eax, ebx, ecx, edx uint32)

// loopTicks reads the time stamp counter, executes two instructions n times, n > 0, and
// returns how far the counter got.
//
//go:noescape
func loopTicks(n uint64) uint64

func thisProcessor() processor { return processor{cpuid, loopTicks} }
