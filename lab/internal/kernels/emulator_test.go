package kernels

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeApt puts an apt into PATH that serves one package, and returns the directory in
// which it notes what it did. A file "offline" in there makes downloads break off.
func fakeApt(t *testing.T) (*Cache, string) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the archive's QEMU is for amd64")
	}
	notes, bin, etc := t.TempDir(), t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(bin, "apt-cache"): `#!/bin/sh
			case "$*" in *pkgnames*) echo linux-image-6.12.9-cloud-amd64 ;;
			*) echo "linux-image-6.12.9-cloud-amd64 | 6.12.9-1 | URI suite/main amd64 Packages" ;; esac`,
		filepath.Join(bin, "apt-get"): `#!/bin/sh
			for arg; do case $arg in Dir::Cache::archives=*) dir=${arg#*archives=} ;; esac; done
			case "$*" in
			*' update') echo update >> ` + notes + `/log ;;
			*--print-uris*) echo "'URI' qemu_1.deb 2000000 SHA256:0" ;;
			*) echo download $(ls "$dir" | grep -c deb) >> ` + notes + `/log
				touch "$dir/qemu_1.deb"
				test ! -e ` + notes + `/offline || { echo 'E: broke off' >&2; exit 100; } ;;
			esac`,
		filepath.Join(bin, "dpkg-deb"):     "#!/bin/sh\nmkdir -p \"$3/usr/bin\" && touch \"$3/usr/bin/qemu\"\n",
		filepath.Join(etc, "sources.list"): "deb http://mirror.example/debian bookworm main\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	c, err := Open(t.TempDir(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	c.apt.etc = etc
	return c, notes
}

func notedLines(t *testing.T, notes string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(notes, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestEmulatorIsBroughtOnce has several runs ask for QEMU at once.
func TestEmulatorIsBroughtOnce(t *testing.T) {
	c, notes := fakeApt(t)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		trees []string
		said  bytes.Buffer
	)
	c.ShowProgress(&said) // written under the cache's lock
	for range 8 {
		wg.Go(func() {
			tree, err := c.Emulator(t.Context(), false)
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(tree, "usr/bin/qemu")); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			trees = append(trees, tree)
		})
	}
	wg.Wait()
	if got := slices.Compact(slices.Sorted(slices.Values(trees))); len(got) != 1 {
		t.Errorf("got trees %q, want one", got)
	}
	if strings.Count(said.String(), "vm: fetching QEMU, once, 2 MB\n") != 1 {
		t.Errorf("got %q, want one download of 2 MB", &said)
	}
	if got := notedLines(t, notes); !slices.Equal(got, []string{"update", "download 0"}) {
		t.Errorf("apt did %q", got)
	}
}

// TestEmulatorGoesOn has a download break off: the next runs do not wait for the
// archive, and the next attempt finds what came.
func TestEmulatorGoesOn(t *testing.T) {
	c, notes := fakeApt(t)
	offline := filepath.Join(notes, "offline")
	writeFile(t, offline)
	if _, err := c.Emulator(t.Context(), false); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("offline: got %v", err)
	}
	if _, err := c.Emulator(t.Context(), false); err == nil || !strings.Contains(err.Error(), "not tried again") {
		t.Errorf("soon after: got %v", err)
	}
	if err := os.Remove(offline); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Emulator(t.Context(), true); err != nil {
		t.Errorf("refreshed: got %v", err)
	}
	if got := notedLines(t, notes); !slices.Equal(got, []string{"update", "download 0", "update", "download 1"}) {
		t.Errorf("apt did %q", got)
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "tools", ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := c.Emulator(t.Context(), false); err != nil {
		t.Errorf("cached: got %v", err)
	}
}
