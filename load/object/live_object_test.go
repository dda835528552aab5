package object

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/internal/loadtest"
)

// objects are the library's own test objects for this byte order, and those of the
// directories in VERIALLOC_OBJECTS.
func objects(t testing.TB) []string {
	t.Helper()
	paths := libraryObjects(t)
	for _, dir := range filepath.SplitList(os.Getenv("VERIALLOC_OBJECTS")) {
		for _, pattern := range []string{"*.o", "*.elf"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, found...)
		}
	}
	return paths
}

// TestLiveObjects compares what the verifier says of a program to what it says when the
// library loads it.
func TestLiveObjects(t *testing.T) {
	loadtest.RequireLive(t)
	paths := objects(t)
	if len(paths) == 0 {
		t.Skip("no objects: VERIALLOC_OBJECTS is not set")
	}
	cache := btf.NewCache()
	equal := 0
	for _, path := range paths {
		subjects, err := Open(path, Options{})
		if err != nil {
			t.Logf("%s: %v", filepath.Base(path), err)
			continue
		}
		for _, subject := range subjects {
			s := subject.Describe()
			want, err := loadByLibrary(path, s.Name, cache)
			if err != nil {
				t.Logf("%s %s: not loaded by the library: %v", s.File, s.Name, err)
				continue
			}
			p, err := subject.Prepare()
			if err != nil {
				t.Logf("%s %s: %v", s.File, s.Name, err)
				continue
			}
			got, err := p.Load(load.Options{})
			p.Close()
			if err != nil {
				t.Errorf("%s %s: %v", s.File, s.Name, err)
				continue
			}
			if got.InsnsProcessed != want.InsnsProcessed || got.TotalStates != want.TotalStates ||
				got.PeakStates != want.PeakStates || got.ProgSize != s.InsnCount {
				t.Errorf("%s %s: %+v, by the library %+v", s.File, s.Name, got, want)
				continue
			}
			equal++
		}
	}
	t.Logf("%d programs are equal to the library's", equal)
	if equal == 0 {
		t.Error("no program was compared")
	}
}

// TestLiveClose checks that what Prepare opened is closed again, whether or not it
// failed, and that the programs of an object can be loaded at the same time.
func TestLiveClose(t *testing.T) {
	loadtest.RequireLive(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it would close what was forgotten
	failed, closed := 0, 0
	for _, path := range objects(t) {
		subjects, err := Open(path, Options{})
		if err != nil {
			continue
		}
		before := openFiles(t)
		var all []load.Prepared
		for _, s := range subjects {
			p, err := s.Prepare()
			if err != nil {
				failed++
				continue
			}
			all = append(all, p)
		}
		var loads sync.WaitGroup
		for _, p := range all {
			loads.Go(func() {
				if _, err := p.Load(load.Options{}); err != nil {
					t.Errorf("%s: %v", filepath.Base(path), err)
				}
			})
		}
		loads.Wait()
		for _, p := range all {
			if err := errors.Join(p.Close(), p.Close()); err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
			}
			closed++
		}
		if after := openFiles(t); after != before {
			t.Errorf("%s: %d open files before, %d after", filepath.Base(path), before, after)
		}
	}
	t.Logf("%d programs closed, of %d more the preparation failed", closed, failed)
	if closed == 0 {
		t.Skip("no objects: VERIALLOC_OBJECTS is not set")
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// loadByLibrary loads a program with all of its object's maps that it needs by the
// library, once, and returns what the log says.
func loadByLibrary(path, name string, cache *btf.Cache) (load.Stats, error) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return load.Stats{}, err
	}
	for n := range spec.Programs {
		if n != name {
			delete(spec.Programs, n)
		}
	}
	used := make(map[string]bool)
	for _, insn := range spec.Programs[name].Instructions {
		used[insn.Reference()] = true
	}
	for n, m := range spec.Maps {
		if !used[n] {
			delete(spec.Maps, n)
		}
		m.Pinning = ebpf.PinNone
		if m.MaxEntries == 0 {
			m.MaxEntries = 1
		}
	}
	for n, v := range spec.Variables {
		if !used[v.SectionName] {
			delete(spec.Variables, n)
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats, LogSizeStart: 1 << 20},
		Cache:    cache,
	})
	var rejected *ebpf.VerifierError
	if errors.As(err, &rejected) {
		return load.ParseStats(strings.Join(rejected.Log, "\n"))
	}
	if err != nil {
		return load.Stats{}, err
	}
	defer coll.Close()
	if coll.Programs[name] == nil {
		return load.Stats{}, errors.New("its type is not known")
	}
	return load.ParseStats(coll.Programs[name].VerifierLog)
}
