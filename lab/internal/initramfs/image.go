// Package initramfs makes the root file system of a guest: a cpio archive as
// the kernel unpacks it.
package initramfs

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/cavaliergopher/cpio"
)

// Image is a file tree in the making. Its paths are absolute. What is added
// later replaces what is there.
type Image struct {
	entries map[string]entry
}

// entry is one node. The content of a symbolic link is its target; a directory
// has none.
type entry struct {
	mode fs.FileMode
	size int64
	open func() (io.ReadCloser, error)
}

// New returns an empty image.
func New() *Image { return &Image{entries: map[string]entry{}} }

// Dir adds a directory.
func (m *Image) Dir(name string) { m.add(name, entry{mode: fs.ModeDir | 0o755}) }

// Link adds a symbolic link to target.
func (m *Image) Link(name, target string) {
	m.add(name, literal(fs.ModeSymlink|0o777, []byte(target)))
}

// File adds a file with a content.
func (m *Image) File(name string, mode fs.FileMode, content []byte) {
	m.add(name, literal(mode.Perm(), content))
}

func literal(mode fs.FileMode, content []byte) entry {
	return entry{
		mode: mode,
		size: int64(len(content)),
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// Copy adds a file of the host, and with a dynamically linked program what it needs
// to start; or a directory as it is, which brings what its programs need itself.
func (m *Image) Copy(host, name string) error {
	info, err := os.Stat(host)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return m.copyTree(host, name)
	case info.Mode().IsRegular():
		m.copyFile(host, name, info)
		if info.Mode().Perm()&0o111 == 0 {
			return nil
		}
		return m.copyLibraries(host)
	default:
		return fmt.Errorf("%s is neither a file nor a directory", host)
	}
}

// copyTree adds a directory with what is in it, symbolic links as such.
func (m *Image) copyTree(host, name string) error {
	return filepath.WalkDir(host, func(from string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(host, from)
		if err != nil {
			return err
		}
		to := path.Join(name, filepath.ToSlash(below))
		switch e.Type() {
		case fs.ModeDir:
			m.Dir(to)
			return nil
		case fs.ModeSymlink:
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			m.Link(to, target)
			return nil
		case 0:
			info, err := e.Info()
			if err != nil {
				return err
			}
			m.copyFile(from, to, info)
			return nil
		default:
			return fmt.Errorf("%s is neither a file nor a directory", from)
		}
	})
}

func (m *Image) copyFile(host, name string, info fs.FileInfo) {
	m.add(name, entry{
		mode: info.Mode().Perm(),
		size: info.Size(),
		open: func() (io.ReadCloser, error) { return os.Open(host) },
	})
}

// add adds an entry and the directories it needs.
func (m *Image) add(name string, e entry) {
	name = path.Clean("/" + name)
	if name == "/" {
		return
	}
	m.entries[name] = e
	if parent := path.Dir(name); !m.entries[parent].mode.IsDir() {
		m.Dir(parent)
	}
}

// Write writes the archive.
func (m *Image) Write(w io.Writer) error {
	archive := cpio.NewWriter(w)
	// Sorted, a directory comes before what is in it, as the kernel needs it.
	for _, name := range slices.Sorted(maps.Keys(m.entries)) {
		if err := write(archive, name, m.entries[name]); err != nil {
			return fmt.Errorf("initramfs: %s: %w", name, err)
		}
	}
	return archive.Close()
}

func write(archive *cpio.Writer, name string, e entry) error {
	head := &cpio.Header{Name: name[1:], Mode: cpio.FileMode(e.mode.Perm()), Size: e.size}
	switch e.mode.Type() {
	case fs.ModeDir:
		head.Mode |= cpio.TypeDir
	case fs.ModeSymlink:
		head.Mode |= cpio.TypeSymlink
	default:
		head.Mode |= cpio.TypeReg
	}
	if err := archive.WriteHeader(head); err != nil {
		return err
	}
	if e.open == nil {
		return nil
	}
	r, err := e.open()
	if err != nil {
		return err
	}
	defer r.Close()
	// A file that grows or shrinks meanwhile is an error of the archive.
	_, err = io.Copy(archive, r)
	return err
}
