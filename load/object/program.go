package object

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// program is a program of an object: a load.Subject.
type program struct {
	object     *object
	spec       *ebpf.ProgramSpec
	known      record.Program
	entryCount int // instructions without the functions called
}

// Describe returns what is known of the program. The attach type of a struct_ops
// program is the number of its member, which Prepare sets. InsnCount is veristat's
// prog_size; if Prepare fails where libbpf has not yet added the functions that the
// program calls, it becomes the number without them.
func (p *program) Describe() record.Program { return p.known }

// Prepare makes what the program refers to. As with libbpf it may fail for a map or an
// extern that the program itself does not use.
//
// The programs of an object share its maps, but for those that the kernel dedicates to
// one program. None may be prepared while another is described.
func (p *program) Prepare() (load.Prepared, error) {
	prepared, err := p.object.prepare(p)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", p.known.Name, err)
	}
	return prepared, nil
}

func (p *program) setTypes(attach ebpf.AttachType) {
	p.known.Type, p.known.Attach = record.ProgramTypeName(uint32(p.spec.Type)), record.AttachTypeName(uint32(attach))
}
