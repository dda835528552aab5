package assemble

// path is how far an allocation had to go. The first four are numbered as
// bpf/event.h has them.
type path uint8

const (
	pathUnknown path = iota
	pathFast
	pathSlow
	pathNewSlab
	pathPage
	pathVmalloc
	paths
)

var pathNames = [paths]string{"unknown", "fast", "slow", "new_slab", "page", "vmalloc"}

func (k *Kernel) pathOf(e *Event) path {
	switch {
	case e.Source == SourceVmalloc:
		return pathVmalloc
	case e.Source == SourceKmalloc && k.large(e.Requested):
		return pathPage
	case path(e.Path) <= pathNewSlab:
		return path(e.Path)
	}
	return pathUnknown
}

// large reports whether kmalloc() takes pages in place of a slab object
// (KMALLOC_MAX_CACHE_SIZE is two pages).
func (k *Kernel) large(requested uint64) bool { return requested > 2*k.PageSize }
