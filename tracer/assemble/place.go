package assemble

import "github.com/verialloc/verialloc/tracer/record"

// place is where a load comes from, beside what its events say. It is looked up as soon as
// the load is seen: later the loader and its group may be gone.
type place struct {
	cgroup, container string
	loader            *record.Loader
}

func (a *Assembler) placeOf(cgroup uint64, pid uint32, processStartNS uint64) place {
	var p place
	if a.options.Cgroup != nil {
		p.cgroup, p.container = a.options.Cgroup(cgroup, pid)
	}
	if a.options.Loader != nil {
		p.loader = a.options.Loader(pid, processStartNS)
	}
	return p
}

func (p *place) describe(r *record.Verification) {
	r.CgroupPath, r.ContainerID, r.Loader = p.cgroup, p.container, p.loader
}
