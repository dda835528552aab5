package record

// System is which kernel runs, how it was booted, and what it runs on. A member that is
// empty has no value, and Absent of the line says why; only the command line may be empty
// as it is. In recordings and feeds of earlier versions all are empty.
type System struct {
	KernelCommandLine string `json:"kernel_command_line"` // the whole, as it was given
	KernelBuildID     string `json:"kernel_build_id"`     // in hexadecimal
	ConfigSHA256      string `json:"config_sha256"`       // of the configuration's text
	ClockSource       string `json:"clock_source"`        // that the kernel keeps time by, such as tsc
	// Hypervisor is what the machine runs under: TCG, KVM or another one's name; none: the
	// CPU shows none.
	Hypervisor string `json:"hypervisor"`
	// ICount is whether QEMU's TCG lets time pass by the instructions that it executes: off,
	// or shift=N, at 2^N ns each.
	ICount string `json:"icount"`
	BootID string `json:"boot_id"` // another one after each boot
}

// Recorded reports whether there is any member: there is none in a recording of an earlier
// version.
func (s System) Recorded() bool { return s != System{} }
