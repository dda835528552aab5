// Package ready lets other processes know, by a file, that something is ready. A regular
// file is there, whole, from then on and not before; a FIFO or a character device is
// written into.
package ready

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/files"
)

// What Prepare does not take for a ready file.
var (
	ErrKind  = errors.New("want a regular file, a FIFO or a character device")
	ErrTaken = errors.New("something else is written there")
)

// File is a ready file. Its methods are for one goroutine.
type File struct {
	place   *files.Place   // nil: none was asked for
	pending *files.Pending // to be put in place; nil: write into what is there
	held    *os.File       // a FIFO that had no reader yet, and would lose what nobody holds
}

// fifoPatience is how long a full FIFO or a stalled device may keep the start.
const fifoPatience = time.Second

// newMode is the mode of a file that takes no other's place.
const newMode = 0o644

// Prepare removes an earlier run's file, whose mode the new one will have, and makes sure
// that there can be one. An empty name asks for none. Nothing but a regular file is ever
// removed, and none that taken reports of. Errors do not name the file; a link that is
// refused is a *files.LinkError.
func Prepare(name string, taken func(fs.FileInfo) bool) (*File, error) {
	if name == "" {
		return &File{}, nil
	}
	place, err := files.Find(name)
	if err != nil {
		return nil, err
	}
	f := &File{place: place}
	if err := f.prepare(taken); err != nil {
		place.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) prepare(taken func(fs.FileInfo) bool) (err error) {
	mode := fs.FileMode(newMode)
	info, err := f.place.Stat()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode()&fs.ModeCharDevice != 0:
		return f.place.Writable()
	case taken(info):
		return ErrTaken
	case info.Mode()&fs.ModeNamedPipe != 0:
		return f.place.Writable()
	case info.Mode().IsRegular():
		mode = info.Mode()
		if err := f.place.Remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	default:
		return ErrKind
	}
	f.pending, err = f.place.Pending(mode)
	return err
}

// Write puts the file in place with the text, or writes that into what was there.
func (f *File) Write(text string) error {
	switch {
	case f.place == nil:
		return nil
	case f.pending == nil:
		return nameless(f.writeInto(text))
	}
	return nameless(f.pending.Put(text))
}

// writeInto writes into a FIFO or a device without waiting for a reader. A reader
// that has a FIFO open sees its end; one that comes later finds the text.
func (f *File) writeInto(text string) error {
	const flags = unix.O_NONBLOCK | unix.O_NOCTTY
	file, err := f.place.Open("", os.O_WRONLY|flags, 0)
	noReader := errors.Is(err, syscall.ENXIO)
	if noReader {
		file, err = f.place.Open("", os.O_RDWR|flags, 0)
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
	if f.place == nil {
		return
	}
	f.place.Close()
	if f.pending != nil {
		f.pending.Discard()
	}
	if f.held != nil {
		f.held.Close()
	}
}

// nameless takes from an error the file that it names, which may be none.
func nameless(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
