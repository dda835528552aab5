package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// Slack is what a type of object from one slab cache leaves unused of the slots that it
// gets, and what a cache of its own could give back of that.
type Slack struct {
	Type  string `json:"type"`
	Cache string `json:"cache"`
	// Over one traced load of each program.
	Allocs         uint64 `json:"allocs"`
	BytesRequested uint64 `json:"bytes_requested"`
	BytesAllocated uint64 `json:"bytes_allocated"`

	// ObjectBytes is the size of one; 0 if they vary, and then no cache of one size
	// serves them.
	ObjectBytes uint64 `json:"object_bytes"`
	// SlotBytes is what the cache takes for one; 0: the recording does not describe the
	// cache.
	SlotBytes uint64 `json:"slot_bytes"`
	// Accounted reports whether the cache charges a cgroup; nil: not known.
	Accounted *bool `json:"accounted"`

	// Of a cache with slots of ObjectBytes rounded up to 8, which is what
	// kmem_cache_create() gives without flags; 0 where sizes vary, or it is no slab cache
	// that the recording describes.
	DedicatedSlotBytes uint64 `json:"dedicated_slot_bytes"`
	RecoverableBytes   uint64 `json:"recoverable_bytes"` // of BytesAllocated
	// Objects in a slab of Order, now and with slots of DedicatedSlotBytes; 0: the
	// recording does not describe the cache, or lacks the size of a page.
	Order            uint64 `json:"order"`
	PerSlab          uint64 `json:"objects_per_slab"`
	DedicatedPerSlab uint64 `json:"dedicated_objects_per_slab"`

	// PartnersAccounted and Partners are the recorded caches that the kernel would merge
	// a cache of that size with, if it had SLAB_ACCOUNT and if it had no flags: merged,
	// it is dedicated in name alone. Caches that share slabs already are one entry: the
	// first by name, and in brackets the others. Merging reports whether this kernel merges
	// at all; nil: not known.
	PartnersAccounted []string `json:"partners_accounted"`
	Partners          []string `json:"partners"`
	Merging           *bool    `json:"merging"`
}

// dedicatedAlign is what kmem_cache_create() aligns objects to on 64-bit kernels unless
// a flag asks for more.
const dedicatedAlign = 8

// slack adds up a side's traced loads, the first of each program.
func slack(in *Input) []Slack {
	type place struct{ objectType, cache string }
	sums := map[place]*Slack{}
	for _, s := range in.subjects {
		if len(s.traced) == 0 {
			continue
		}
		for _, group := range s.traced[0].Types {
			for _, share := range group.Shares {
				at := place{group.Name, share.Cache}
				if sums[at] == nil {
					sums[at] = &Slack{Type: group.Name, Cache: share.Cache, PartnersAccounted: []string{}, Partners: []string{}}
				}
				sums[at].Allocs += share.Allocs
				sums[at].BytesRequested += share.BytesRequested
				sums[at].BytesAllocated += share.BytesAllocated
			}
		}
	}
	out := []Slack{}
	for _, sum := range sums {
		sum.ObjectBytes = objectBytes(sum, in.environment)
		if in.machine != nil {
			sum.describe(in.machine)
		}
		sum.recover()
		out = append(out, *sum)
	}
	slices.SortFunc(out, func(a, b Slack) int {
		return cmp.Or(
			cmp.Compare(b.BytesAllocated-min(b.BytesRequested, b.BytesAllocated), a.BytesAllocated-min(a.BytesRequested, a.BytesAllocated)),
			cmp.Compare(b.BytesAllocated, a.BytesAllocated),
			cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Cache, b.Cache))
	})
	return out
}

// objectBytes returns the size of a type's objects: the one of the kernel's BTF if the
// requests add up to it. A mean that is a whole number could be of any sizes.
func objectBytes(s *Slack, environment *record.Environment) uint64 {
	if environment == nil {
		return 0
	}
	for _, name := range slices.Sorted(maps.Keys(environment.TypeBytes)) {
		size := environment.TypeBytes[name]
		if strings.HasSuffix(name, "_"+s.Type) && size > 0 && s.BytesRequested == s.Allocs*size {
			return size
		}
	}
	return 0
}

// describe adds what the recording knows of the cache and of those like it.
func (s *Slack) describe(m *record.Machine) {
	s.Merging = m.SlabMerging
	for i := range m.SlabCaches {
		c := &m.SlabCaches[i]
		if c.Name == s.Cache {
			s.Accounted = accounted(c)
			s.Order, s.PerSlab, s.SlotBytes = c.Order, c.ObjectsPerSlab, c.SlotBytes
			if s.ObjectBytes > 0 {
				s.DedicatedPerSlab = pageBytes(m) << c.Order / align(s.ObjectBytes)
			}
		}
	}
	if s.PerSlab == 0 || s.ObjectBytes == 0 || (m.SlabMerging != nil && !*m.SlabMerging) {
		return
	}
	listed := map[string]bool{} // by id: caches that share slabs are one
	for i := range m.SlabCaches {
		c := &m.SlabCaches[i]
		if listed[c.ID] || !mergeable(c, align(s.ObjectBytes)) {
			continue
		}
		listed[c.ID] = true
		if *accounted(c) { // known, since it has an id
			s.PartnersAccounted = append(s.PartnersAccounted, names(c))
		} else {
			s.Partners = append(s.Partners, names(c))
		}
	}
}

// recover computes what slots of the right size would give back; of pages and areas,
// which are no slots, nothing is known.
func (s *Slack) recover() {
	if s.ObjectBytes == 0 || s.PerSlab == 0 {
		return
	}
	s.DedicatedSlotBytes = align(s.ObjectBytes)
	if need := s.Allocs * s.DedicatedSlotBytes; need < s.BytesAllocated {
		s.RecoverableBytes = s.BytesAllocated - need
	}
}

func align(size uint64) uint64 {
	return (size + dedicatedAlign - 1) / dedicatedAlign * dedicatedAlign
}

// mergeable reports whether find_mergeable() of mm/slab_common.c takes a cache for one of
// this size: its slots are no smaller, and by less than a pointer larger. Caches without
// an id of shared slabs are not merged, nor are those with flags but accounting.
func mergeable(c *record.SlabCache, size uint64) bool {
	flags, _, ok := strings.Cut(strings.TrimPrefix(c.ID, ":"), "-")
	if c.ID == "" || (ok && strings.Trim(flags, "A") != "") {
		return false
	}
	return c.SlotBytes >= size && c.SlotBytes-size < dedicatedAlign
}

// accounted reports whether the cache's objects are charged to a cgroup: by its name, or
// by the id of its slabs; nil where neither says so.
func accounted(c *record.SlabCache) *bool {
	flags, _, ok := strings.Cut(strings.TrimPrefix(c.ID, ":"), "-")
	switch {
	case strings.HasPrefix(c.Name, "kmalloc-cg-"):
		return new(true)
	case c.ID == "":
		return nil
	default:
		return new(ok && strings.Contains(flags, "A"))
	}
}

// pageBytes returns the size of a page; 0: not known. Recordings of earlier versions do
// not have it, and on x86-64 it is the same everywhere.
func pageBytes(m *record.Machine) uint64 {
	if m.PageBytes == 0 && m.Architecture == "x86_64" {
		return 4096
	}
	return uint64(max(m.PageBytes, 0))
}

// names returns a cache with those that share its slabs.
func names(c *record.SlabCache) string {
	others := slices.DeleteFunc(slices.Clone(c.Aliases), func(name string) bool { return name == c.Name })
	if len(others) == 0 {
		return c.Name
	}
	slices.Sort(others)
	return c.Name + " (" + strings.Join(others, ", ") + ")"
}
