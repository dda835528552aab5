package record

// LoadClass is a class of loads, by who makes them.
type LoadClass string

// The classes whose loads a kernel may not let be seen.
const (
	LoadsOf32Bit  LoadClass = "32_bit" // of 32-bit processes
	LoadsOfKernel LoadClass = "kernel" // of the kernel itself: of light skeletons and modules
)

// LoadClasses has each class.
var LoadClasses = []LoadClass{LoadsOf32Bit, LoadsOfKernel}
