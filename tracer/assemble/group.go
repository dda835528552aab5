package assemble

import (
	"cmp"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// group gathers the allocations of one verification that share a name.
type group struct {
	record.Group // all but the histogram
	live         uint64
	liveBytes    uint64
	latency      record.Recorder
}

func (g *group) alloc(requested, allocated, latencyNS uint64) {
	g.Allocs++
	g.BytesRequested += requested
	g.BytesAllocated += allocated
	g.live++
	g.liveBytes += allocated
	g.PeakLive = max(g.PeakLive, g.live)
	g.PeakLiveBytes = max(g.PeakLiveBytes, g.liveBytes)
	if latencyNS != LatencyNone {
		g.latency.Observe(latencyNS)
	}
}

func (g *group) free(allocated uint64) {
	g.Frees++
	g.live--
	g.liveBytes -= allocated
}

func (g *group) record() record.Group {
	r := g.Group
	r.Outlived = g.live
	r.Latency = g.latency.Histogram()
	r.AllocTimeNS = r.Latency.SumNS
	return r
}

// groups are the groups of one verification under one heading, by name.
type groups struct {
	names  *names
	byName []*group // indexed by the interned name; nil: none yet
}

func (gs *groups) at(id int) *group {
	for len(gs.byName) <= id {
		gs.byName = append(gs.byName, nil)
	}
	g := gs.byName[id]
	if g == nil {
		g = &group{Group: record.Group{Name: gs.names.list[id]}}
		gs.byName[id] = g
	}
	return g
}

// records returns the groups, most allocations first.
func (gs *groups) records() []record.Group {
	rs := []record.Group{}
	for _, g := range gs.byName {
		if g != nil {
			rs = append(rs, g.record())
		}
	}
	slices.SortFunc(rs, func(a, b record.Group) int {
		return cmp.Or(cmp.Compare(b.Allocs, a.Allocs), cmp.Compare(a.Name, b.Name))
	})
	return rs
}

// names interns strings, so that a verification finds its groups by index.
type names struct {
	ids  map[string]int
	list []string
}

func newNames() *names { return &names{ids: map[string]int{}} }

func (n *names) id(name string) int {
	id, ok := n.ids[name]
	if !ok {
		id = len(n.list)
		n.ids[name] = id
		n.list = append(n.list, name)
	}
	return id
}
