package compare

// Unsettled is why no number of samples can be named that would settle a verdict.
type Unsettled string

// The causes: those that are reasons as well, and those for which none can be computed.
const (
	UnsettledWork        = Unsettled(ReasonWork)
	UnsettledContradicts = Unsettled(ReasonContradicts)
	UnsettledObserver    = Unsettled(ReasonObserver)
	UnsettledTimed       = Unsettled(ReasonTimed)
	UnsettledUnsteady    = Unsettled(ReasonUnsteady)

	UnsettledNoNoise    Unsettled = "no_noise"       // --noise has not the program, or too few samples
	UnsettledApart      Unsettled = "noise_apart"    // the sets that the floor comes from are too far apart
	UnsettledResolution Unsettled = "resolution"     // of the metric, beside a small median
	UnsettledAllocators Unsettled = "allocators_own" // likewise what slab and vmalloc took
	UnsettledZero       Unsettled = "median_zero"    // there is no floor in percent
	UnsettledAtFloor    Unsettled = "at_floor"       // the change is as great as the floor
	UnsettledMany       Unsettled = "too_many"       // more than settleLimit
)

// Unsettleds are all causes.
var Unsettleds = []Unsettled{
	UnsettledWork, UnsettledContradicts, UnsettledObserver, UnsettledTimed, UnsettledUnsteady, UnsettledNoNoise, UnsettledApart,
	UnsettledResolution, UnsettledAllocators, UnsettledZero, UnsettledAtFloor, UnsettledMany,
}
