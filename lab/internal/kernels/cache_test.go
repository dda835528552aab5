package kernels

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFindCached(t *testing.T) {
	cache, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{"6.12.9+deb13-cloud-amd64", "6.12.117+deb13-cloud-amd64", "6.1.0-56-cloud-amd64"} {
		writeFile(t, cache.Image(release))
	}
	for name, want := range map[string]string{
		"6.12":                     "6.12.117+deb13-cloud-amd64",
		"6.1":                      "6.1.0-56-cloud-amd64",
		"6.12.9+deb13-cloud-amd64": "6.12.9+deb13-cloud-amd64",
	} {
		if got, err := cache.Find(name); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"6", "6.2", "6.12.11"} {
		if got, err := cache.Find(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %s, %v, want fs.ErrNotExist", name, got, err)
		}
	}
}

// TestPick has the three layouts that Debian's packages had so far.
func TestPick(t *testing.T) {
	const release = "7.2.13+deb14-cloud-amd64"
	for name, test := range map[string]struct {
		files  []string
		config bool
		fails  bool
	}{
		"image":   {files: []string{"boot/vmlinuz-" + release, "boot/config-" + release}, config: true},
		"binary":  {files: []string{"boot/vmlinuz-" + release}},
		"modules": {files: []string{"usr/lib/modules/" + release + "/vmlinuz"}},
		"meta":    {files: []string{"usr/share/doc/readme"}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			tree, dir := t.TempDir(), t.TempDir()
			for _, f := range test.files {
				writeFile(t, filepath.Join(tree, f))
			}
			if err := pick(tree, release, dir); (err != nil) != test.fails {
				t.Fatalf("got error %v, want one: %v", err, test.fails)
			}
			for name, want := range map[string]bool{"vmlinuz": !test.fails, "config": test.config} {
				if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
					t.Errorf("%s: got %v, want it there: %v", name, err, want)
				}
			}
		})
	}
}

func writeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}
