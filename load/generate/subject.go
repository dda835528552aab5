package generate

import (
	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// subject is a generated program of some kind and size. It implements load.Subject.
type subject struct {
	spec  *ebpf.ProgramSpec
	known record.Program
}

// Describe returns what is known about the program.
func (s *subject) Describe() record.Program { return s.known }

// Prepare makes the program ready to be loaded.
func (s *subject) Prepare() (load.Prepared, error) { return load.Prepare(s.spec) }
