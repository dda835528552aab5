package assemble

import (
	"reflect"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestCaches(t *testing.T) {
	unaccounted := kernel6_1
	unaccounted.AccountedCaches = false
	pages16k := kernel6_1
	pages16k.PageSize = 16384
	for _, c := range []struct {
		name      string
		kernel    Kernel
		requested uint64
		allocated uint64
		gfp       uint32
		want      string
		path      string
	}{
		{"by size", kernel6_1, 136, 192, 0xdc0, "kmalloc-192", "fast"},
		{"smallest", kernel6_1, 1, 8, 0xdc0, "kmalloc-8", "fast"},
		{"half a kilobyte", kernel6_1, 512, 512, 0xdc0, "kmalloc-512", "fast"},
		{"a kilobyte", kernel6_1, 1000, 1024, 0xdc0, "kmalloc-1k", "fast"},
		{"largest", kernel6_1, 8192, 8192, 0xdc0, "kmalloc-8k", "fast"},
		{"pages", kernel6_1, 8193, 16384, 0xdc0, "kmalloc-large", "page"},
		{"pages, accounted", kernel6_1, 26984, 32768, 0x400dc0, "kmalloc-large", "page"},
		{"largest of large pages", pages16k, 32768, 32768, 0xdc0, "kmalloc-32k", "fast"},
		{"accounted", kernel6_18, 1280, 2048, 0x400dc0, "kmalloc-cg-2k", "fast"},
		{"accounted without such caches", unaccounted, 1280, 2048, 0x400dc0, "kmalloc-2k", "fast"},
		{"reclaimable", kernel6_1, 96, 96, 0xdc0 | 0x10, "kmalloc-rcl-96", "fast"},
		{"reclaimable before accounted", kernel6_1, 96, 96, 0x400dc0 | 0x10, "kmalloc-rcl-96", "fast"},
		{"DMA before all", kernel6_1, 64, 64, 0x400dc0 | 0x11, "dma-kmalloc-64", "fast"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, c.kernel, Options{}).startLoad(1)
			l.free(l.env, "bpf_check")
			l.alloc("check_cfg", c.requested, func(e *Event) { e.Allocated, e.GFP = c.allocated, c.gfp })
			v := l.finishBare()
			site := groupOf(v.Sites, "check_cfg+0x42")
			cache := groupOf(v.Caches, c.want)
			if cache.Outlived != 1 || site.BytesAllocated != c.allocated || site.BytesRequested != c.requested {
				t.Errorf("caches %v, want %s", names(v.Caches), c.want)
			}
			if groupOf(v.Paths, c.path).Outlived != 1 {
				t.Errorf("paths %v, want %s", names(v.Paths), c.path)
			}
		})
	}
}

func TestNamedCaches(t *testing.T) {
	s := newStream(t, kernel6_1, Options{})
	// A name is good for all verifications, and comes in any's company.
	s.none(Event{Kind: KindCache, Verification: 99, Cache: 0xffff888000000040, Name: "filp"})
	l := s.startLoad(1)
	from := func(cache uint64) func(*Event) {
		return func(e *Event) { e.Source, e.Cache, e.Requested, e.Allocated = SourceCache, cache, 232, 256 }
	}
	l.alloc("alloc_empty_file", 0, from(0xffff888000000040))
	l.alloc("alloc_empty_file", 0, from(0xffff888000000080))
	l.alloc("alloc_empty_file", 0, from(0))
	v := l.finish()
	if g := groupOf(v.Caches, "filp"); g.Allocs != 1 || g.BytesRequested != 232 || g.BytesAllocated != 256 {
		t.Errorf("filp: %+v", g)
	}
	if g := groupOf(v.Caches, "object size 232"); g.Allocs != 2 {
		t.Errorf("caches without a name: %+v of %v", g, names(v.Caches))
	}
	// A name that comes late, and one that comes anew, are those of what follows.
	for _, name := range []string{"late", "anew"} {
		s.none(Event{Kind: KindCache, Verification: 99, Cache: 0xffff888000000080, Name: name})
		l = s.startLoad(1)
		l.alloc("alloc_empty_file", 0, from(0xffff888000000080))
		if v := l.finish(); groupOf(v.Caches, name).Allocs != 1 {
			t.Errorf("caches %v, want %s", names(v.Caches), name)
		}
	}
	// A kmalloc's cache goes by size and flags, even where its address is known.
	l = s.startLoad(1)
	l.alloc("check_cfg", 64, func(e *Event) { e.Cache = 0xffff888000000040 })
	if v := l.finish(); groupOf(v.Caches, "kmalloc-64").Allocs != 1 {
		t.Errorf("caches %v, want kmalloc-64", names(v.Caches))
	}
	checkSums(t, v)
}

// The cache of state lists, merged with others: what it was asked for by is known of state
// lists alone.
func TestMergedCaches(t *testing.T) {
	const cache = 0xffff888000000040
	aliases := map[string][]string{
		"proc_dir_entry": {"bpf_verifier_state_list", "inet_peer"}, "filp": {}, "kmalloc-64": {"pid_2"},
	}
	s := newStream(t, kernel6_18, Options{Aliases: aliases})
	s.none(Event{Kind: KindCache, Verification: 99, Cache: cache, Name: "proc_dir_entry"})
	s.none(Event{Kind: KindCache, Verification: 99, Cache: cache + 64, Name: "filp"})
	s.none(Event{Kind: KindCache, Verification: 99, Cache: cache + 128, Name: "made_later"})
	l := s.startLoad(1)
	from := func(cache uint64) func(*Event) {
		return func(e *Event) { e.Source, e.Cache, e.Allocated = SourceCache, cache, 192 }
	}
	l.alloc("do_check_common", kernel6_18.StateList, from(cache))
	l.alloc("somebody_else", 192, from(cache))
	l.alloc("alloc_empty_file", 192, from(cache+64))
	l.alloc("somebody_new", 192, from(cache+128))
	l.alloc("check_cfg", 64)
	v := l.finishBare()
	for name, want := range map[string]record.Group{
		"bpf_verifier_state_list": {KernelName: "proc_dir_entry", Aliases: []string{"inet_peer", "proc_dir_entry"}},
		"proc_dir_entry":          {Aliases: []string{"bpf_verifier_state_list", "inet_peer"}},
		"filp":                    {Aliases: []string{}},
		"made_later":              {},
		"kmalloc-64":              {Aliases: []string{"pid_2"}},
	} {
		g := groupOf(v.Caches, name)
		if g.Allocs != 1 || g.KernelName != want.KernelName || !reflect.DeepEqual(g.Aliases, want.Aliases) {
			t.Errorf("%s: %d allocations, kernel's name %q, aliases %#v; want 1, %q, %#v of %v", name,
				g.Allocs, g.KernelName, g.Aliases, want.KernelName, want.Aliases, names(v.Caches))
		}
	}
	if shares := groupOf(v.Types, "state_list").Shares; len(shares) != 1 || shares[0].Cache != "bpf_verifier_state_list" {
		t.Errorf("state lists are from %v", shares)
	}
	if got := aliases["proc_dir_entry"]; got[0] != "bpf_verifier_state_list" {
		t.Errorf("the aliases have become %v", got)
	}
}

// Seen without its entry, a vmalloc area counts as large as its pages.
func TestVmallocOfUnknownSize(t *testing.T) {
	l := newStream(t, kernel6_1, Options{}).startLoad(1)
	p := l.alloc("", 0, func(e *Event) {
		e.Source, e.CallSite, e.Requested, e.Allocated, e.LatencyNS = SourceVmalloc, 0, 0, 12288, LatencyNone
	})
	l.free(p, "vfree")
	v := l.finish()
	for heading, g := range map[string][2]uint64{
		"type":  {groupOf(v.Types, "vmalloc").BytesRequested, groupOf(v.Types, "vmalloc").Frees},
		"cache": {groupOf(v.Caches, "vmalloc").BytesRequested, groupOf(v.Caches, "vmalloc").Frees},
		"path":  {groupOf(v.Paths, "vmalloc").BytesRequested, groupOf(v.Paths, "vmalloc").Frees},
	} {
		if g != [2]uint64{12288, 1} {
			t.Errorf("by %s: %d bytes, %d frees, want 12288 and 1", heading, g[0], g[1])
		}
	}
	wantExact(t, v)
}

func TestPaths(t *testing.T) {
	for path, want := range map[uint8]string{0: "unknown", 1: "fast", 2: "slow", 3: "new_slab", 4: "unknown", 255: "unknown"} {
		l := newStream(t, kernel6_1, Options{}).startLoad(1)
		l.free(l.env, "bpf_check")
		l.alloc("check_cfg", 64, func(e *Event) { e.Path = path })
		if v := l.finishBare(); groupOf(v.Paths, want).Outlived != 1 {
			t.Errorf("path %d: %v, want %s", path, names(v.Paths), want)
		}
	}
}
