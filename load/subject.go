package load

import "github.com/verialloc/verialloc/tracer/record"

// Subject is a program that can be loaded any number of times: of an object file (package
// object), or generated (package generate). Its methods are for one goroutine at a time.
type Subject interface {
	// Describe returns what is known about the program. Prepare may add to that.
	Describe() record.Program
	// Prepare creates what the program refers to: maps, types and targets. An error says
	// why the program cannot be loaded at all.
	Prepare() (Prepared, error)
}

// Prepared is a program that is ready to be loaded, by several goroutines at once.
type Prepared interface {
	// Load loads the program with one bpf(2) call, or with 1+Stats.Restarts of them, and
	// closes it. If the kernel rejects the program, Load returns no error: see
	// Stats.Errno. It returns an error if it cannot make the call or cannot read the log.
	// Any number of goroutines may call it at the same time, each with Counters of its
	// own.
	Load(Options) (Stats, error)
	// Close closes what Prepare created. No Load may be running, and none may follow.
	Close() error
}
