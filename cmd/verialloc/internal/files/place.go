// Package files opens and replaces files whose names others may have had a hand in.
//
// A name is followed link by link, from one open directory to the next, so that what was
// looked at is what is used. A link that belongs to another user than the caller, root or
// whoever owns the root directory is refused: it may lead to any file that only the caller
// may write.
package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// LinkError is the refusal of a link.
type LinkError struct {
	Link string // its name in its directory
	UID  uint32 // whose it is
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("the link %q belongs to user %d, who could lead it anywhere: name what it leads to", e.Link, e.UID)
}

// Place is where a name leads: an entry of an open directory, which need not be there. Its
// methods are for one goroutine at a time. Its errors do not have the name.
type Place struct {
	dir  int
	base string
	// open is set for an entry of procfs that leads to an open file, as that of
	// /dev/stdout does. The kernel alone can follow it.
	open bool
}

// maxLinks is how many the kernel follows in one name.
const maxLinks = 40

// Find follows a name. All but its last part must be there.
func Find(name string) (*Place, error) {
	dir, err := start(name)
	if err != nil {
		return nil, err
	}
	p := &Place{dir: dir}
	links := 0
	for parts := split(name); ; {
		p.base, parts = parts[0], parts[1:]
		more, err := p.step(len(parts) == 0)
		if err == nil && more == nil && len(parts) == 0 {
			return p, nil
		}
		if links += min(len(more), 1); err == nil && links > maxLinks {
			err = unix.ELOOP
		}
		if err != nil {
			p.Close()
			return nil, err
		}
		parts = append(more, parts...)
	}
}

// start opens the directory that a name is relative to.
func start(name string) (int, error) {
	if name == "" {
		return -1, unix.ENOENT
	}
	from := "."
	if name[0] == '/' {
		from = "/"
	}
	return unix.Open(from, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// split returns the parts of a name, at least one. A slash at its end wants a directory.
func split(name string) []string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
	if strings.HasSuffix(name, "/") {
		parts = append(parts, ".")
	}
	return parts
}

// step goes to the entry base, or stays at it if it is the last part of the name. Where
// it is a link to follow, more are the parts that come in its place.
func (p *Place) step(last bool) (more []string, err error) {
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	if !last {
		// Unlike without O_DIRECTORY, what is mounted there on demand is mounted.
		if next, err := unix.Openat(p.dir, p.base, flags|unix.O_DIRECTORY, 0); !errors.Is(err, unix.ENOTDIR) {
			return nil, p.enter(next, err)
		}
	}
	entry, err := unix.Openat(p.dir, p.base, flags, 0)
	if last && errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(entry)
	var stat unix.Stat_t
	if err := unix.Fstat(entry, &stat); err != nil {
		return nil, err
	}
	switch {
	case stat.Mode&unix.S_IFMT == unix.S_IFLNK:
		return p.follow(entry, stat.Uid, last)
	case !last:
		return nil, unix.ENOTDIR
	default:
		return nil, nil
	}
}

// enter makes next the directory.
func (p *Place) enter(next int, err error) error {
	if err != nil {
		return err
	}
	unix.Close(p.dir)
	p.dir = next
	return nil
}

// follow follows a link that is open.
func (p *Place) follow(link int, uid uint32, last bool) (more []string, err error) {
	if trusted, err := isTrusted(uid); err != nil || !trusted {
		return nil, cmp.Or(err, error(&LinkError{p.base, uid}))
	}
	var system unix.Statfs_t
	if err := unix.Fstatfs(link, &system); err != nil {
		return nil, err
	}
	if system.Type == unix.PROC_SUPER_MAGIC {
		if p.open = last; last {
			return nil, nil
		}
		return nil, p.enter(unix.Openat(p.dir, p.base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0))
	}
	var target [unix.PathMax]byte
	n, err := unix.Readlinkat(link, "", target[:])
	if err != nil {
		return nil, err
	}
	name := string(target[:n])
	if name == "" || name[0] == '/' {
		if err := p.enter(start(name)); err != nil {
			return nil, err
		}
	}
	return split(name), nil
}

// isTrusted reports whether links of a user are followed. In a user namespace that the
// machine's root is not mapped into, root's links, such as /dev/stdout, belong to the
// overflow user, as the root directory does then. So do those of all others who are not
// mapped; but what calls itself root there may not write what is root's.
func isTrusted(uid uint32) (bool, error) {
	if uid == 0 || uid == uint32(os.Geteuid()) {
		return true, nil
	}
	var root unix.Stat_t
	if err := unix.Stat("/", &root); err != nil {
		return false, err
	}
	return uid == root.Uid, nil
}

// nofollow keeps a link from being followed that took the entry's place.
func (p *Place) nofollow() int {
	if p.open {
		return 0
	}
	return unix.O_NOFOLLOW
}

// Open opens the entry, with flags and mode as of open(2). The file has the name given.
func (p *Place) Open(name string, flags int, mode uint32) (*os.File, error) {
	fd, err := unix.Openat(p.dir, p.base, flags|p.nofollow()|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Stat describes the entry.
func (p *Place) Stat() (fs.FileInfo, error) {
	file, err := p.Open(p.base, unix.O_PATH, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Stat()
}

// Writable returns why this process may not write what is there.
func (p *Place) Writable() error { return unix.Faccessat(p.dir, p.base, unix.W_OK, 0) }

// Directory is a name of the directory that the entry is in, as long as the place is open.
func (p *Place) Directory() string { return fmt.Sprintf("/proc/self/fd/%d", p.dir) }

// Remove removes the entry.
func (p *Place) Remove() error { return unix.Unlinkat(p.dir, p.base, 0) }

// Close lets go of the directory.
func (p *Place) Close() { unix.Close(p.dir) }
