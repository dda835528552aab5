package tracer

import (
	"os"
	"path"
	"slices"
	"testing"

	"github.com/verialloc/verialloc/load/generate"
)

// Which caches share the slabs of a load's is what sysfs says. Stock kernels merge that of
// vmap_area with others. An area of more than 1 MiB takes one, as insn_aux here: from 6.9
// those of smaller areas are kept for the next (72210662c5a2).
func TestLiveSlabAliases(t *testing.T) {
	requireLive(t)
	const dir = "/sys/kernel/slab/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{}
	for _, e := range entries {
		if target, err := os.Readlink(dir + e.Name()); err == nil {
			targets[e.Name()] = path.Base(target)
		}
	}
	s := trace(t, Config{IncludeSelf: true})
	loadCase(t, generate.Stress(8000))
	v := one(t, s.finish(), "stress")
	var merged int
	for _, g := range v.Caches {
		if g.Name == "vmalloc" || g.Name == "kmalloc-large" {
			if g.Aliases != nil {
				t.Errorf("%s is no slab cache and has aliases %v", g.Name, g.Aliases)
			}
			continue
		}
		if _, err := os.Stat(dir + g.Name); err != nil {
			t.Errorf("sysfs does not have cache %s: %v", g.Name, err)
			continue
		}
		want := []string{}
		for name, target := range targets {
			if name != g.Name && target == targets[g.Name] {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		if g.Aliases == nil || !slices.Equal(g.Aliases, want) {
			t.Errorf("cache %s has aliases %#v, sysfs says %v", g.Name, g.Aliases, want)
		}
		if len(want) > 0 {
			merged++
		}
		t.Logf("%s, %d allocations: %s with %v", g.Name, g.Allocs, targets[g.Name], want)
	}
	if merged == 0 {
		t.Errorf("none of %d caches shares its slabs", len(v.Caches))
	}
}
