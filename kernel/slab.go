package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

const slabDir = "sys/kernel/slab"

// slab is what /sys/kernel/slab shows. A cache that may share its slabs is a link to a
// directory whose name begins with a colon and has size and flags; with merging off
// each is a directory of its own name.
type slab struct {
	caches Fact[[]record.SlabCache] // by the size of their objects, then by name
	merged Fact[bool]               // there are such links
}

// readSlab reads the caches. Where their sizes are not shown, it may still be known
// whether they are merged.
func readSlab(root fs.FS) slab {
	fail := func(err error) slab {
		return slab{Unknown[[]record.SlabCache](err), Unknown[bool](err)}
	}
	entries, err := fs.ReadDir(root, slabDir)
	if err != nil {
		return fail(fmt.Errorf("%w: the kernel has it with CONFIG_SLUB_DEBUG", named(err)))
	}
	ids, names := map[string]string{}, map[string][]string{}
	merged := false
	for _, entry := range entries {
		if entry.Type()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := fs.ReadLink(root, slabDir+"/"+entry.Name())
		if err != nil {
			return fail(named(err))
		}
		id := path.Base(target)
		ids[entry.Name()] = id
		names[id] = append(names[id], entry.Name())
		merged = merged || strings.HasPrefix(id, ":")
	}
	caches := []record.SlabCache{}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ":") {
			continue
		}
		cache, err := readCache(root, name)
		if err != nil {
			// All or none: sysfs shows the sizes to root alone.
			return slab{Unknown[[]record.SlabCache](err), Known(merged)}
		}
		if id := ids[name]; id != "" {
			cache.ID = id
			cache.Aliases = slices.DeleteFunc(slices.Clone(names[id]), func(alias string) bool { return alias == name })
		}
		caches = append(caches, cache)
	}
	slices.SortFunc(caches, func(a, b record.SlabCache) int {
		return cmp.Or(cmp.Compare(a.ObjectBytes, b.ObjectBytes), strings.Compare(a.Name, b.Name))
	})
	return slab{Known(caches), Known(merged)}
}

func readCache(root fs.FS, name string) (record.SlabCache, error) {
	cache := record.SlabCache{Name: name, Aliases: []string{}}
	for file, number := range map[string]*uint64{
		"object_size": &cache.ObjectBytes, "slab_size": &cache.SlotBytes,
		"objs_per_slab": &cache.ObjectsPerSlab, "order": &cache.Order,
	} {
		text, err := readLine(root, slabDir+"/"+name+"/"+file)
		if err != nil {
			return cache, err
		}
		if *number, err = strconv.ParseUint(text, 10, 64); err != nil {
			return cache, fmt.Errorf("/%s/%s/%s: %w", slabDir, name, file, err)
		}
	}
	return cache, nil
}

// merging reports whether caches of like objects share slabs: by what sysfs shows, else by
// the kernel's boot options and configuration.
func (s slab) merging(bootOptions []string, c Config) Fact[bool] {
	if s.merged.IsKnown() {
		return s.merged
	}
	name, _, ok := lastOption(bootOptions, "slab_nomerge", "slub_nomerge", "slab_merge", "slub_merge")
	switch {
	case ok:
		return Known(!strings.HasSuffix(name, "nomerge"))
	case c.Why() == nil:
		return Known(c.value("SLAB_MERGE_DEFAULT") == "y")
	default:
		return Unknown[bool](errors.New("neither /sys/kernel/slab nor the kernel's configuration is there"))
	}
}

// AccountedCaches reports whether kmalloc() takes what it charges to a cgroup from caches of
// its own, kmalloc-cg-N (5.14, 494c1dfe855e, with CONFIG_MEMCG).
func AccountedCaches() Fact[bool] { return accountedCaches(os.DirFS("/")) }

func accountedCaches(root fs.FS) Fact[bool] {
	if _, err := fs.Stat(root, slabDir); err != nil {
		return Unknown[bool](named(err))
	}
	_, err := fs.Lstat(root, slabDir+"/kmalloc-cg-64")
	switch {
	case err == nil:
		return Known(true)
	case errors.Is(err, fs.ErrNotExist):
		return Known(false)
	default:
		return Unknown[bool](named(err))
	}
}
