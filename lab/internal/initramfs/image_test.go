package initramfs

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cavaliergopher/cpio"
)

func TestImage(t *testing.T) {
	host := t.TempDir()
	for name, mode := range map[string]os.FileMode{"data": 0o640, "script": 0o755} {
		if err := os.WriteFile(filepath.Join(host, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("data", filepath.Join(host, "link")); err != nil {
		t.Fatal(err)
	}

	m := New()
	m.Dir("/proc")
	m.File("/etc/hosts", 0o644, []byte("hosts"))
	m.File("/etc/hosts", 0o600, []byte("other hosts"))
	m.Link("/bin/sh", "/bin/busybox")
	if err := m.Copy(host, "/work/testdata"); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := m.Write(&archive); err != nil {
		t.Fatal(err)
	}

	names, nodes := readArchive(t, &archive)
	want := []node{
		{"bin", cpio.TypeDir | 0o755, ""},
		{"bin/sh", cpio.TypeSymlink | 0o777, "/bin/busybox"},
		{"etc", cpio.TypeDir | 0o755, ""},
		{"etc/hosts", cpio.TypeReg | 0o600, "other hosts"},
		{"proc", cpio.TypeDir | 0o755, ""},
		{"work", cpio.TypeDir | 0o755, ""},
		{"work/testdata", cpio.TypeDir | 0o755, ""},
		{"work/testdata/data", cpio.TypeReg | 0o640, "data"},
		{"work/testdata/link", cpio.TypeSymlink | 0o777, "data"},
		{"work/testdata/script", cpio.TypeReg | 0o755, "script"},
	}
	if !slices.Equal(nodes, want) {
		t.Errorf("got  %v\nwant %v", nodes, want)
	}
	if !slices.IsSorted(names) {
		t.Errorf("%v is not sorted: a directory has to come before its files", names)
	}
}

// TestCopyOfAProgram checks that a dynamically linked program brings its
// interpreter along; the test binary may be one, and the shell is.
func TestCopyOfAProgram(t *testing.T) {
	const program = "/bin/sh"
	if dynamic, err := isDynamic(program); err != nil || !dynamic {
		t.Skipf("%s is not dynamically linked: %v", program, err)
	}
	m := New()
	if err := m.Copy(program, program); err != nil {
		t.Fatal(err)
	}
	if len(m.entries) < 4 { // program, interpreter, their directories
		t.Errorf("got only %d entries", len(m.entries))
	}
}

func TestParseLdd(t *testing.T) {
	got, err := parseLdd([]byte("\tlinux-vdso.so.1 (0x00007ffe)\n" +
		"\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0a)\n" +
		"\t/lib64/ld-linux-x86-64.so.2 (0x00007f0b)\n"))
	want := []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := parseLdd([]byte("\tlibx.so.1 => not found\n")); err == nil {
		t.Error("a missing library: got no error")
	}
}

type node struct {
	name    string
	mode    cpio.FileMode
	content string
}

func readArchive(t *testing.T, r io.Reader) (names []string, nodes []node) {
	t.Helper()
	for archive := cpio.NewReader(r); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names, nodes
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, head.Name)
		nodes = append(nodes, node{head.Name, head.Mode, string(content) + head.Linkname})
	}
}
