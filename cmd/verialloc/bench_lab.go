package main

import (
	"fmt"
	"os"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/object"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// lab is where bench loads programs: the running kernel, or a test's.
type lab interface {
	// Permitted reports whether this process may load programs.
	Permitted() error
	Machine() (record.Machine, error)
	// Find fails if there is no such file.
	Find(path string) error
	// Object returns the programs of an object file.
	Object(path string, o object.Options) ([]load.Subject, error)
	// Stress returns generated programs.
	Stress(text string) ([]load.Subject, error)
	// Memory begins to measure the memory of loads, until its Leave.
	Memory() *load.Cgroup
	// Counters opens the counters of the calling thread.
	Counters(memory *load.Cgroup) *load.Counters
}

// kernelLab is the running kernel.
type kernelLab struct{}

// Permitted reports whether this process has the capability that every load takes.
func (kernelLab) Permitted() error {
	capabilities, err := kernel.ReadCapabilities()
	if err != nil || capabilities.MayLoad() {
		return err
	}
	return fmt.Errorf("%w: loading BPF programs takes CAP_BPF, and most types of them more", tracer.ErrPermission)
}

func (kernelLab) Machine() (record.Machine, error) { return kernel.ReadMachine() }

func (kernelLab) Find(path string) error {
	_, err := os.Stat(path)
	return err
}

func (kernelLab) Object(path string, o object.Options) ([]load.Subject, error) {
	return object.Open(path, o)
}

func (kernelLab) Stress(text string) ([]load.Subject, error) {
	return generate.Parse(text)
}

func (kernelLab) Memory() *load.Cgroup { return load.EnterCgroup() }

func (kernelLab) Counters(memory *load.Cgroup) *load.Counters {
	return load.OpenCounters(memory)
}
