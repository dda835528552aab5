package files

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Pending is a file that is to be put in a place, whole. Until then it has no name, and
// goes with the process.
type Pending struct {
	place *Place
	mode  uint32
	file  *os.File // nil: the file system has no files without a name
}

// Pending makes sure that there can be a file of a mode, whatever the umask, in place of
// what may be there.
func (p *Place) Pending(mode os.FileMode) (*Pending, error) {
	pending := &Pending{place: p, mode: uint32(mode.Perm())}
	fd, err := unix.Openat(p.dir, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		pending.file = os.NewFile(uintptr(fd), p.base)
		return pending, nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EISDIR): // EISDIR: it does not know the flag
		return pending, unix.Faccessat(p.dir, ".", unix.W_OK|unix.X_OK, 0)
	default:
		return nil, err
	}
}

// Put writes the text and puts the file in its place.
func (f *Pending) Put(text string) error {
	named := ""
	if f.file == nil {
		named = f.temporary()
		fd, err := unix.Openat(f.place.dir, named, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		f.file = os.NewFile(uintptr(fd), named)
	}
	defer f.Discard()
	_, err := f.file.WriteString(text)
	if err = errors.Join(err, f.file.Chmod(os.FileMode(f.mode))); err == nil && named == "" {
		if err = f.link(f.place.base); !errors.Is(err, unix.EEXIST) {
			return err
		}
		named = f.temporary() // another has put something there since
		err = f.link(named)
	}
	if err == nil {
		err = unix.Renameat(f.place.dir, named, f.place.dir, f.place.base)
	}
	if err != nil && named != "" {
		_ = unix.Unlinkat(f.place.dir, named, 0) // it may not be there
	}
	return err
}

// temporary is a name beside the place that nobody knows.
func (f *Pending) temporary() string { return fmt.Sprintf(".%s.%s", f.place.base, rand.Text()) }

// link gives the file a name. To do so by the descriptor alone takes a capability up to
// 6.9 (42bd2af59504).
func (f *Pending) link(name string) error {
	fd := int(f.file.Fd())
	err := unix.Linkat(fd, "", f.place.dir, name, unix.AT_EMPTY_PATH)
	if errors.Is(err, unix.ENOENT) {
		err = unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), f.place.dir, name, unix.AT_SYMLINK_FOLLOW)
	}
	return err
}

// Discard lets go of a file that is not to be put in place.
func (f *Pending) Discard() {
	if f.file != nil {
		f.file.Close()
	}
}
