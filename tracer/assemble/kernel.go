package assemble

// PeakRule is a kernel's formula for peak_states.
type PeakRule string

// The formulas. Up to 6.15 the verifier counts states up when it keeps one and
// down when it evicts one, and reports the last value. Then it takes the maximum
// of the states on its lists and of the backedges of strongly connected
// components (update_peak_states). Neither counts what is freed once a
// subprogram is done.
const (
	PeakFinal   PeakRule = "final"
	PeakMaximum PeakRule = "maximum"
)

// Kernel is what the assembler needs to know of the kernel it listens to.
type Kernel struct {
	PeakRule PeakRule
	PageSize uint64
	// AccountedCaches is set where __GFP_ACCOUNT moves kmalloc() to the
	// kmalloc-cg caches (CONFIG_MEMCG).
	AccountedCaches bool

	// Sizes in bytes; 0 where the kernel has no such type.
	Env         uint64
	State       uint64
	StateList   uint64
	StackElem   uint64
	FuncState   uint64
	SCCBackedge uint64
	InsnAux     uint64
}

// Symbols names kernel text addresses.
type Symbols interface {
	// Symbol returns the function that holds addr and the offset in it; an
	// empty name means that it is not known.
	Symbol(addr uint64) (name string, offset uint64)
}
