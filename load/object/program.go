package object

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// program is a program of an object. It implements load.Subject.
type program struct {
	object     *object
	spec       *ebpf.ProgramSpec
	known      record.Program
	entryCount int // instructions without the functions called
}

// Describe returns what is known about the program. Prepare changes two members: the
// attach type of a struct_ops program becomes the name of the number of its member, and
// InsnCount, which is veristat's prog_size, becomes the number of instructions without the
// functions called if Prepare fails where libbpf has not yet added those.
func (p *program) Describe() record.Program { return p.known }

// Prepare creates what the program refers to. As with libbpf it may fail because of a map
// or an extern that the program itself does not use.
//
// The programs of an object share its maps, except those that the kernel dedicates to one
// kind of program.
func (p *program) Prepare() (load.Prepared, error) {
	prepared, err := p.prepareGuarded()
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", p.known.Name, err)
	}
	return prepared, nil
}

func (p *program) prepareGuarded() (_ load.Prepared, err error) {
	defer guard(&err)
	return p.object.prepare(p)
}

func (p *program) setTypes(attach ebpf.AttachType) {
	p.known.Type, p.known.Attach = record.ProgramTypeName(uint32(p.spec.Type)), record.AttachTypeName(uint32(attach))
}
