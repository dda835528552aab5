package qemu

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const fakeQEMU = "#!/bin/sh\necho \"QEMU emulator version $VERSION (Debian 1:$VERSION)\"\n"

func TestInstalled(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if e, err := Installed(t.Context()); err == nil {
		t.Errorf("got %s, want an error: there is none", e)
	}
	writeProgram(t, filepath.Join(dir, program), fakeQEMU)
	for version, two := range map[string]bool{"7.2.22": false, "10.0.2": false, "11.1.3": true, "12.0": true} {
		t.Setenv("VERSION", version)
		e, err := Installed(t.Context())
		if err != nil || e.Version != version || e.TwoCPUs() != two {
			t.Errorf("%s: got %+v, %v, two CPUs: %v", version, e, err, e.TwoCPUs())
		}
	}
	t.Setenv("VERSION", "unknown")
	if e, err := Installed(t.Context()); err == nil {
		t.Errorf("without a version: got %s", e)
	}
}

// TestInTree has a loader that only says how it was called.
func TestInTree(t *testing.T) {
	tree := t.TempDir()
	if e, err := InTree(t.Context(), tree); err == nil {
		t.Errorf("an empty tree: got %s", e)
	}
	t.Setenv("VERSION", "11.1.3")
	t.Setenv("LD_PRELOAD_OF_A_TEST", "x")
	loader := filepath.Join(tree, "usr/lib64/ld-linux-x86-64.so.2")
	writeProgram(t, loader, fakeQEMU)
	e, err := InTree(t.Context(), tree)
	if err != nil {
		t.Fatal(err)
	}
	if e.String() != "QEMU 11.1.3 (Debian's archive)" || e.Program() != filepath.Join(tree, "usr/bin", program) {
		t.Errorf("got %s at %s", e, e.Program())
	}
	if e.command[0] != loader || !slices.Contains(e.command, e.Program()) || !slices.Contains(e.command, filepath.Join(tree, "usr/share/seabios")) {
		t.Errorf("got command %q", e.command)
	}
	if slices.Contains(e.env, "LD_PRELOAD_OF_A_TEST=x") || !slices.Contains(e.env, "VERSION=11.1.3") {
		t.Errorf("got environment %q", e.env)
	}
}

func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
