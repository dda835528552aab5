package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

const slabDir = "sys/kernel/slab"

// slab is what /sys/kernel/slab shows. A cache that may share its slabs is a link to a
// directory whose name begins with a colon and tells size and flags; with merging off
// each is a directory of its own name.
type slab struct {
	all    map[string]record.SlabCache // by name
	merged bool                        // there are such links
}

// readSlab reads the caches; nil where the kernel does not show them. With an error
// they may still tell whether they are merged.
func readSlab(root fs.FS) (*slab, error) {
	entries, err := fs.ReadDir(root, slabDir)
	if err != nil {
		return nil, fmt.Errorf("%w: the kernel has it with CONFIG_SLUB_DEBUG", named(err))
	}
	s := &slab{all: map[string]record.SlabCache{}}
	ids, names := map[string]string{}, map[string][]string{}
	for _, entry := range entries {
		if entry.Type()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := fs.ReadLink(root, slabDir+"/"+entry.Name())
		if err != nil {
			return nil, named(err)
		}
		id := path.Base(target)
		ids[entry.Name()] = id
		names[id] = append(names[id], entry.Name())
		s.merged = s.merged || strings.HasPrefix(id, ":")
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ":") {
			continue
		}
		cache, err := readCache(root, name)
		if err != nil {
			s.all = nil // all or none: sysfs shows the sizes to root alone
			return s, err
		}
		if id := ids[name]; id != "" {
			cache.ID = id
			cache.Aliases = slices.DeleteFunc(slices.Clone(names[id]), func(alias string) bool { return alias == name })
		}
		s.all[name] = cache
	}
	return s, nil
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

// caches returns the caches by the size of their objects, then by name.
func (s *slab) caches() []record.SlabCache {
	if s == nil {
		return []record.SlabCache{}
	}
	return slices.SortedFunc(maps.Values(s.all), func(a, b record.SlabCache) int {
		if a.ObjectBytes != b.ObjectBytes {
			return int(a.ObjectBytes) - int(b.ObjectBytes)
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// slabMerging tells whether caches of like objects share slabs: by what sysfs shows,
// else by what the kernel was told.
func slabMerging(s *slab, bootOptions []string, c Config) (*bool, error) {
	if s != nil {
		return &s.merged, nil
	}
	name, _, ok := lastOption(bootOptions, "slab_nomerge", "slub_nomerge", "slab_merge", "slub_merge")
	merging := !strings.HasSuffix(name, "nomerge")
	switch {
	case ok:
		return &merging, nil
	case c.Why() == nil:
		merging = c.value("SLAB_MERGE_DEFAULT") == "y"
		return &merging, nil
	default:
		return nil, errors.New("neither /sys/kernel/slab nor the kernel's configuration is there")
	}
}

// AccountedCaches tells whether kmalloc() takes what it charges to a cgroup from caches of
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
