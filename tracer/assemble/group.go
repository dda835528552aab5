package assemble

import (
	"cmp"
	"maps"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// meter follows the objects that are live under one name, and their peak. Peaks
// do not add up, so each heading needs meters of its own; all else of a group is
// summed from leaves at the end.
type meter struct {
	live, liveBytes uint64
	peak, peakBytes uint64
}

func (m *meter) alloc(bytes uint64) {
	m.live++
	m.liveBytes += bytes
	m.peak = max(m.peak, m.live)
	m.peakBytes = max(m.peakBytes, m.liveBytes)
}

func (m *meter) free(bytes uint64) {
	m.live--
	m.liveBytes -= bytes
}

// leaf gathers the allocations of one site and path in one verification.
type leaf struct {
	index                int32 // in the verification's leaves
	site                 *site
	path                 path
	allocs, frees        uint64
	requested, allocated uint64
	latency              record.Recorder
	meters               []*meter // by heading
}

// headings have what a leaf is called in each dimension.
var headings = []struct {
	dimension *record.Dimension
	name      func(*leaf) string
}{
	{record.ByType, func(l *leaf) string { return l.site.objectType }},
	{record.ByCache, func(l *leaf) string { return l.site.cache }},
	{record.BySite, func(l *leaf) string { return l.site.label }},
	{record.ByPath, func(l *leaf) string { return pathNames[l.path] }},
}

// newMeters returns room for the meters of each heading, by name.
func newMeters() []map[string]*meter {
	meters := make([]map[string]*meter, len(headings))
	for i := range meters {
		meters[i] = map[string]*meter{}
	}
	return meters
}

// groups fills in the groups of each dimension.
func (v *verification) groups(r *record.Verification, aliases map[string][]string) {
	for i, h := range headings {
		*h.dimension.Groups(r) = v.group(h.name, func(l *leaf) *meter { return l.meters[i] })
	}
	v.share(r.Types)
	v.nameCaches(r.Caches, aliases)
}

// share fills in which caches served each of the types.
func (v *verification) share(types []record.Group) {
	for i := range types {
		for _, l := range v.leaves {
			if l.site.objectType == types[i].Name {
				addShare(&types[i].Shares, l)
			}
		}
		slices.SortFunc(types[i].Shares, func(a, b record.Share) int {
			return cmp.Or(cmp.Compare(b.Allocs, a.Allocs), cmp.Compare(a.Cache, b.Cache))
		})
	}
}

func addShare(shares *[]record.Share, l *leaf) {
	i := slices.IndexFunc(*shares, func(s record.Share) bool { return s.Cache == l.site.cache })
	if i < 0 {
		i = len(*shares)
		*shares = append(*shares, record.Share{Cache: l.site.cache})
	}
	s := &(*shares)[i]
	s.Allocs += l.allocs
	s.BytesRequested += l.requested
	s.BytesAllocated += l.allocated
}

// group sums leaves of one name, most allocations first.
func (v *verification) group(nameOf func(*leaf) string, meterOf func(*leaf) *meter) []record.Group {
	type sum struct {
		record.Group
		leaves []*leaf
	}
	byName := map[string]*sum{}
	for _, l := range v.leaves {
		name := nameOf(l)
		s := byName[name]
		if s == nil {
			m := meterOf(l)
			s = &sum{Group: record.Group{
				Name: name, Outlived: m.live, PeakLive: m.peak, PeakLiveBytes: m.peakBytes,
			}}
			byName[name] = s
		}
		s.Allocs += l.allocs
		s.Frees += l.frees
		s.BytesRequested += l.requested
		s.BytesAllocated += l.allocated
		s.leaves = append(s.leaves, l)
	}
	sums := slices.SortedFunc(maps.Values(byName), func(a, b *sum) int {
		return cmp.Or(cmp.Compare(b.Allocs, a.Allocs), cmp.Compare(a.Name, b.Name))
	})
	groups := make([]record.Group, len(sums))
	for i, s := range sums {
		s.Latency = latency(s.leaves)
		s.AllocTimeNS = s.Latency.SumNS
		groups[i] = s.Group
	}
	return groups
}

// latency adds up what was observed at leaves.
func latency(leaves []*leaf) record.Histogram {
	if len(leaves) == 1 {
		return leaves[0].latency.Histogram()
	}
	var sum record.Recorder
	for _, l := range leaves {
		sum.Add(&l.latency)
	}
	return sum.Histogram()
}
