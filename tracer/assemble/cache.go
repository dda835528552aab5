package assemble

import "strconv"

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
