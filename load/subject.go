package load

import "github.com/verialloc/verialloc/tracer/record"

// Subject is a program that can be loaded again and again: one of an object file
// (package object), or a generated one (package generate).
type Subject interface {
	// Describe returns what is known of the program; preparing it may add to that.
	Describe() record.Program
	// Prepare makes what the program refers to: maps, relocations and targets. An
	// error says why the program cannot be loaded at all.
	Prepare() (Prepared, error)
}

// Prepared is a program that is ready to be loaded, by several goroutines at once.
type Prepared interface {
	// Load loads the program with one bpf(2) call, or a few where Stats.Restarts says
	// so, and closes it. That the kernel rejects it is no error but the Errno of the
	// Stats. It returns an error if it cannot make the call or cannot read its log, and
	// loads nothing then. Any number of goroutines may call it at once, each with
	// Counters of its own.
	Load(Options) (Stats, error)
	// Close closes what Prepare made. No load may be under way, or follow.
	Close() error
}
