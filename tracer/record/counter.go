package record

// The names of the counters of a sample. Except memory_peak_bytes they are of the loading
// thread during bpf(2).
const (
	CounterUserFaults      = "user_faults"   // page faults in user mode
	CounterKernelFaults    = "kernel_faults" // page faults in the kernel
	CounterMinorFaults     = "minor_faults"  // without I/O, as getrusage(2) has them
	CounterMajorFaults     = "major_faults"  // with I/O
	CounterTaskClock       = "task_clock_ns" // time on a CPU
	CounterContextSwitches = "context_switches"
	CounterMigrations      = "migrations" // from one CPU to another
	CounterCycles          = "cycles"
	CounterInstructions    = "instructions"
	CounterMemoryPeak      = "memory_peak_bytes" // of the loader's control group
)

// Counter is a number, or the reason why there is none.
type Counter struct {
	Value  uint64 `json:"value"`
	Absent string `json:"absent,omitempty"` // why there is no value
}
