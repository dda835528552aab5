// Package ready lets other processes know, by a file, that something is ready. A regular
// file is there, whole, from then on and not before; a FIFO or a character device is
// written into.
package ready

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// What Prepare does not take for a ready file.
var (
	ErrKind  = errors.New("want a regular file, a FIFO or a character device")
	ErrTaken = errors.New("something else is written there")
)

// File is a ready file. Its methods are for one goroutine.
type File struct {
	given   string                // as people know it; empty: none was asked for
	pending *renameio.PendingFile // to be put in place; nil: write into given
	held    *os.File              // a FIFO that had no reader yet, and would lose what nobody holds
}

// fifoPatience is how long a full FIFO or a stalled device may keep the start.
const fifoPatience = time.Second

// Prepare removes an earlier run's file and makes sure that there can be a new one. An
// empty name asks for none. Nothing but a regular file is ever removed, and none that
// taken reports of. Errors do not name the file.
func Prepare(name string, taken func(fs.FileInfo) bool) (*File, error) {
	f := &File{given: name}
	if name == "" {
		return f, nil
	}
	var target string // links resolved
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target, err = linkTarget(name)
	case err != nil:
	case info.Mode()&fs.ModeCharDevice != 0:
		return f, nameless(unix.Access(name, unix.W_OK))
	case taken(info):
		err = ErrTaken
	case info.Mode()&fs.ModeNamedPipe != 0:
		return f, nameless(unix.Access(name, unix.W_OK))
	case info.Mode().IsRegular():
		if target, err = filepath.EvalSymlinks(name); err == nil {
			if err = os.Remove(target); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
	default:
		err = ErrKind
	}
	if err == nil {
		f.pending, err = renameio.NewPendingFile(target, renameio.WithTempDir(filepath.Dir(target)), renameio.WithStaticPermissions(0o644))
	}
	if err != nil {
		return nil, nameless(err)
	}
	return f, nil
}

// linkTarget returns where a name leads that leads to nothing yet: the name
// itself, or the end of a chain of links.
func linkTarget(name string) (string, error) {
	for range 40 { // as many as the kernel follows
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			// Split and EvalSymlinks, unlike Dir, follow a link before its "..".
			dir, file := filepath.Split(name)
			dir, err = filepath.EvalSymlinks(cmp.Or(dir, "."))
			return filepath.Join(dir, file), err
		}
		if err != nil {
			return "", err
		}
		target, err := os.Readlink(name)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			dir, _ := filepath.Split(name)
			target = dir + target // not cleaned, as above
		}
		name = target
	}
	return "", syscall.ELOOP
}

// Write puts the file in place with the text, or writes that into what was there.
func (f *File) Write(text string) error {
	switch {
	case f.given == "":
		return nil
	case f.pending == nil:
		return nameless(f.writeInto(text))
	}
	if _, err := f.pending.WriteString(text); err != nil {
		return nameless(err)
	}
	return nameless(f.pending.CloseAtomicallyReplace())
}

// writeInto writes into a FIFO or a device without waiting for a reader. A reader
// that has a FIFO open sees its end; one that comes later finds the text.
func (f *File) writeInto(text string) error {
	const flags = unix.O_NONBLOCK | unix.O_NOCTTY
	file, err := os.OpenFile(f.given, os.O_WRONLY|flags, 0)
	noReader := errors.Is(err, syscall.ENXIO)
	if noReader {
		file, err = os.OpenFile(f.given, os.O_RDWR|flags, 0)
	}
	if err != nil {
		return err
	}
	_ = file.SetWriteDeadline(time.Now().Add(fifoPatience)) // a device may have none
	_, err = file.WriteString(text)
	if noReader && err == nil {
		f.held = file
		go closeRead(file)
		return nil
	}
	return errors.Join(err, file.Close())
}

// heldInterval is how often a held FIFO is looked at.
const heldInterval = 20 * time.Millisecond

// closeRead closes a FIFO once all in it was read, so that its reader sees the
// end. Whoever else closes it ends this too.
func closeRead(file *os.File) {
	defer file.Close()
	conn, err := file.SyscallConn()
	for waiting := 1; err == nil && waiting > 0; time.Sleep(heldInterval) {
		var failed error
		err = conn.Control(func(fd uintptr) { waiting, failed = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
		err = errors.Join(err, failed)
	}
}

// Discard removes what was not put in place, and lets go of a FIFO.
func (f *File) Discard() {
	if f.pending != nil {
		_ = f.pending.Cleanup() // of a file that nobody knows of
	}
	if f.held != nil {
		f.held.Close()
	}
}

// nameless takes from an error the file that it names, which may be the temporary one.
func nameless(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
