package workload

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// A Subject is a program that can be loaded again and again: one of an object file,
// or a generated one.
type Subject struct {
	File   string // base name of the object; stress of a generated program
	Path   string // as given to OpenObject; empty of a generated program
	Name   string // of the program in the object, any length
	SHA256 string // of the object, or of the generated instructions
	// Type and Attach are the program's and the expected attach type as libbpf names
	// them: socket_filter. Where a program has no attach type that is the name of 0,
	// cgroup_inet_ingress, as veristat shows it. That of a struct_ops program is the
	// number of its member, which Prepare sets.
	Type, Attach string
	// InsnCount is the number of instructions that are loaded, with those of the
	// functions that the program calls: veristat's prog_size. If Prepare fails where
	// libbpf has not yet added those, it is set to the number without.
	InsnCount int

	entryCount int // instructions without the functions called
	spec       *ebpf.ProgramSpec
	object     *object // nil of a generated program
}

// Prepare makes what the program refers to: maps, relocations and targets. An error
// says why the program cannot be loaded at all. As with libbpf that may be a map or
// an extern that the program itself does not use.
//
// The programs of an object share its maps, but for those that the kernel dedicates to
// one program, and must not be prepared at the same time as their Types are read.
func (s *Subject) Prepare() (*Prepared, error) {
	var (
		p   *Prepared
		err error
	)
	if s.object == nil {
		p, err = prepare(s.spec)
	} else {
		p, err = s.object.prepare(s)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", s.Name, err)
	}
	return p, nil
}

func (s *Subject) setTypes(attach ebpf.AttachType) {
	s.Type, s.Attach = typeName(s.spec.Type), attachName(attach)
}
