package tracer

import (
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// places finds what is known of loaders beside what the kernel's programs see.
type places struct {
	cgroups   *kernel.Cgroups // nil: there are none
	known     map[uint64]cgroupPlace
	processes *kernel.Processes // nil: loaders are not described
}

// cgroupPlace is where a group is. No other group gets its id, nor can it be moved.
type cgroupPlace struct{ path, container string }

// maxPlaces bounds the groups that are remembered.
const maxPlaces = 4096

// openPlaces never fails: what cannot be had is absent from records, and a lack.
func openPlaces(loaders bool) (p *places, lacks []record.Lack) {
	p = &places{known: map[uint64]cgroupPlace{}}
	cgroups := kernel.OpenCgroups()
	p.cgroups, _ = cgroups.Get()
	if why := cgroups.Why(); why != nil {
		lacks = append(lacks, record.Lack{Name: record.LackCgroups, Why: "records have no path and container: " + why.Error()})
	}
	if !loaders {
		return p, lacks
	}
	var err error
	if p.processes, err = kernel.OpenProcesses(); err != nil {
		lacks = append(lacks, record.Lack{Name: record.LackLoaders, Why: "records have no command line and executable: " + err.Error()})
	}
	return p, lacks
}

func (p *places) Close() error {
	if p.cgroups == nil {
		return nil
	}
	return p.cgroups.Close()
}

func (p *places) cgroup(id uint64, pid uint32) (path, container string) {
	if place, ok := p.known[id]; ok {
		return place.path, place.container
	}
	if p.cgroups == nil {
		return "", ""
	}
	path, err := p.cgroups.Path(id, pid)
	if err != nil {
		return "", "" // it may be seen by another process
	}
	if len(p.known) == maxPlaces {
		clear(p.known)
	}
	container = kernel.ContainerID(path)
	p.known[id] = cgroupPlace{path, container}
	return path, container
}

// loader describes a process; nil: it is gone, or not to be seen.
func (p *places) loader(pid uint32, startNS uint64) *record.Loader {
	if p.processes == nil {
		return nil
	}
	process, err := p.processes.Read(pid, startNS)
	if err != nil {
		return nil
	}
	if len(process.CommandLine) == 0 {
		return nil // it is ending, and has lost its memory
	}
	return &record.Loader{CommandLine: process.CommandLine, Cut: process.Cut, Executable: process.Executable}
}
