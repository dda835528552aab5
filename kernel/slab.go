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

// sharing is which caches share their slabs.
type sharing struct {
	caches []string            // all
	ids    map[string]string   // by name, of those that may share
	names  map[string][]string // by id
}

func readSharing(root fs.FS) (sharing, error) {
	entries, err := fs.ReadDir(root, slabDir)
	if err != nil {
		return sharing{}, fmt.Errorf("%w: the kernel has it with CONFIG_SLUB_DEBUG", named(err))
	}
	s := sharing{ids: map[string]string{}, names: map[string][]string{}}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ":") {
			continue
		}
		s.caches = append(s.caches, name)
		if entry.Type()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := fs.ReadLink(root, slabDir+"/"+name)
		if err != nil {
			return sharing{}, named(err)
		}
		id := path.Base(target)
		s.ids[name] = id
		s.names[id] = append(s.names[id], name)
	}
	return s, nil
}

// merged reports whether there are slabs that caches may share.
func (s sharing) merged() bool {
	for id := range s.names {
		if strings.HasPrefix(id, ":") {
			return true
		}
	}
	return false
}

// aliases lists the other caches that share a cache's slabs, in the order of their names.
func (s sharing) aliases(name string) []string {
	aliases := []string{}
	if id, shares := s.ids[name]; shares {
		aliases = slices.DeleteFunc(slices.Clone(s.names[id]), func(alias string) bool { return alias == name })
	}
	return aliases
}

// SlabAliases reads which other caches share the slabs of a cache, by the name of each.
func SlabAliases() Fact[map[string][]string] { return slabAliases(os.DirFS("/")) }

func slabAliases(root fs.FS) Fact[map[string][]string] {
	s, err := readSharing(root)
	if err != nil {
		return Unknown[map[string][]string](err)
	}
	aliases := map[string][]string{}
	for _, name := range s.caches {
		aliases[name] = s.aliases(name)
	}
	return Known(aliases)
}

// readSlab reads the caches. Where their sizes are not shown, it may still be known
// whether they are merged.
func readSlab(root fs.FS) slab {
	s, err := readSharing(root)
	if err != nil {
		return slab{Unknown[[]record.SlabCache](err), Unknown[bool](err)}
	}
	caches := []record.SlabCache{}
	for _, name := range s.caches {
		cache, err := readCache(root, name)
		if err != nil {
			// All or none: sysfs shows the sizes to root alone.
			return slab{Unknown[[]record.SlabCache](err), Known(s.merged())}
		}
		cache.ID, cache.Aliases = s.ids[name], s.aliases(name)
		caches = append(caches, cache)
	}
	slices.SortFunc(caches, func(a, b record.SlabCache) int {
		return cmp.Or(cmp.Compare(a.ObjectBytes, b.ObjectBytes), strings.Compare(a.Name, b.Name))
	})
	return slab{Known(caches), Known(s.merged())}
}

func readCache(root fs.FS, name string) (record.SlabCache, error) {
	cache := record.SlabCache{Name: name}
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
