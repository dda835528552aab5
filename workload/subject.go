package workload

import "github.com/cilium/ebpf"

// A Subject is a program that can be loaded again and again: one of an object file,
// or a generated one.
type Subject struct {
	File      string // base name of the object; stress of a generated program
	Path      string // as given to OpenObject; empty of a generated program
	Name      string // of the program in the object, any length
	SHA256    string // of the object, or of the generated instructions
	Type      string // as libbpf names it: socket_filter
	Attach    string // expected attach type as libbpf names it; empty: none
	InsnCount int    // instructions as loaded, with the functions they call; veristat's prog_size

	spec   *ebpf.ProgramSpec
	object *object // nil of a generated program
}
