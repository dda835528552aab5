package tracer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// meminfo reads a line of /proc/meminfo in MiB.
func meminfo(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscanf(line, name+": %d kB", &n); err == nil {
			return n >> 10
		}
	}
	t.Fatalf("no %s in /proc/meminfo", name)
	return 0
}

// fragment leaves no two free pages next to each other: it locks almost all
// memory, which compaction may then not move, and gives every other page back.
func fragment(t *testing.T) {
	t.Helper()
	const chunk, page = 4 << 20, 4096
	for path, value := range map[string]string{
		"/proc/sys/vm/compact_unevictable_allowed": "0",
		"/proc/sys/vm/max_map_count":               "1048576", // a page is an area of its own
		"/proc/self/oom_score_adj":                 "-1000",
	} {
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	var locked [][]byte
	for meminfo(t, "MemFree") > 24 {
		m, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			t.Fatal(err)
		}
		locked = append(locked, m)
		if err := unix.Madvise(m, unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL {
			t.Fatal(err)
		}
		if err := unix.Mlock(m); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, m := range locked {
			if err := unix.Munmap(m); err != nil {
				t.Error(err)
			}
		}
	})
	for _, m := range locked {
		for at := 0; at < chunk; at += 2 * page {
			if err := unix.Munlock(m[at : at+page]); err != nil {
				t.Fatal(err)
			}
			if err := unix.Madvise(m[at:at+page], unix.MADV_DONTNEED); err != nil {
				t.Fatal(err)
			}
		}
	}
	takeBlocks(t, 1500)
}

// takeBlocks gives what blocks of eight pages are left to array maps, which take such
// a block each while there is one.
func takeBlocks(t *testing.T, n int) {
	t.Helper()
	for range n {
		m, err := ebpf.NewMap(&ebpf.MapSpec{
			Name: "fragment", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 3900,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
	}
}

// With memory in pieces env comes from vmalloc: it is found all the same, and
// read before it is unmapped. Only a machine made for tests is treated so.
func TestLiveFragmented(t *testing.T) {
	requireLive(t)
	if os.Getenv("VERIALLOC_FRAGMENT") == "" {
		t.Skip("fills all memory: set VERIALLOC_FRAGMENT=1 in a virtual machine of 512 MiB")
	}
	s := trace(t, Config{IncludeSelf: true})
	if s.kernel.facts.Env <= 2*s.kernel.facts.PageSize {
		t.Skipf("env of %d bytes is a slab object on this kernel", s.kernel.facts.Env)
	}
	fragment(t)
	// A block that a CPU kept for itself or that was freed meanwhile may serve
	// env: the load is repeated until none did.
	const most = 20
	var want []load.Stats
	for range most {
		want = append(want, loadCase(t, generate.Stress(100)))
		takeBlocks(t, 50)
	}
	var found bool
	for i, v := range s.finish() {
		checkExact(t, v, want[i])
		vmalloc := slices.IndexFunc(v.Caches, func(g record.Group) bool { return g.Name == "vmalloc" })
		if vmalloc >= 0 && !slices.ContainsFunc(v.Caches, func(g record.Group) bool { return g.Name == "kmalloc-large" }) {
			found = true
			t.Logf("%d vmalloc areas, %d bytes", v.Caches[vmalloc].Allocs, v.Caches[vmalloc].BytesAllocated)
		}
	}
	if !found {
		t.Errorf("the env of none of %d loads came from vmalloc: memory was not fragmented", most)
	}
}
