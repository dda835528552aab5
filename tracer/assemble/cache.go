package assemble

import (
	"slices"
	"strconv"

	"github.com/verialloc/verialloc/tracer/record"
)

// Bits of gfp_t that choose a kmalloc cache; the same on every kernel from 6.1.
const (
	gfpDMA         = 0x01
	gfpReclaimable = 0x10
	gfpAccount     = 0x400000
)

// kmallocCache names the cache that serves a kmalloc() of the given flags, by
// the kernel's own rule (kmalloc_type). Copies made by random_kmalloc_caches
// share the name of their family.
func (k *Kernel) kmallocCache(allocated uint64, gfp uint32) string {
	if allocated > 2*k.PageSize {
		return "kmalloc-large"
	}
	family := "kmalloc-"
	switch {
	case gfp&gfpDMA != 0:
		family = "dma-kmalloc-"
	case gfp&gfpReclaimable != 0:
		family = "kmalloc-rcl-"
	case gfp&gfpAccount != 0 && k.AccountedCaches:
		family = "kmalloc-cg-"
	}
	if allocated >= 1024 && allocated%1024 == 0 {
		return family + strconv.FormatUint(allocated/1024, 10) + "k"
	}
	return family + strconv.FormatUint(allocated, 10)
}

// caches are the names of the struct that a slab cache of each of the verifier's types is
// for: the kernel names a cache of one type after that.
var caches = map[string]string{
	typeStateList:   "bpf_verifier_state_list",
	typeStackElem:   "bpf_verifier_stack_elem",
	typeFuncState:   "bpf_func_state",
	typeState:       "bpf_verifier_state",
	typeSCCBackedge: "bpf_scc_backedge",
}

// askedFor returns the name by which a type's objects are asked for from a slab cache. SLUB
// merges caches of like objects, and calls what comes of it by the name of the first: which
// of them a caller means, its pointer does not say. The name of the objects' own type does.
func askedFor(objectType, kernelName string, aliases []string) string {
	if own := caches[objectType]; own != "" && slices.Contains(aliases, own) {
		return own
	}
	return kernelName
}

// nameCaches adds to groups of slab caches what the kernel calls each, and the others that
// share its slabs.
func (v *verification) nameCaches(groups []record.Group, aliases map[string][]string) {
	for i := range groups {
		g := &groups[i]
		first := slices.IndexFunc(v.leaves, func(l *leaf) bool { return l.site.cache == g.Name })
		kernelName := v.leaves[first].site.kernelName
		others, known := aliases[kernelName]
		if !known {
			continue
		}
		g.Aliases = slices.Clone(others)
		if kernelName != g.Name {
			g.KernelName = kernelName
			g.Aliases[slices.Index(g.Aliases, g.Name)] = kernelName
			slices.Sort(g.Aliases)
		}
	}
}
