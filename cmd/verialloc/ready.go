package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readyFile tells others that the probes are live. A regular file is there,
// whole, from then on and not before; a FIFO or a device is written into.
type readyFile struct {
	given string   // as people know it; empty: none was asked for
	path  string   // of the file to put in place, links resolved; empty: write into given
	temp  *os.File // to be put in place; nil: it is, or there is none
	held  *os.File // a FIFO that had no reader yet, and would lose what nobody holds
}

// fifoPatience is how long a full FIFO or a stalled device may keep the start.
const fifoPatience = time.Second

// prepareReady removes an earlier run's file and makes sure that there can be a
// new one. An empty name asks for none. Nothing but a regular file is ever
// removed, and not that of the feed.
func prepareReady(name string, feed *output) (*readyFile, error) {
	r := &readyFile{given: name}
	if name == "" {
		return r, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.path, err = linkTarget(name); err != nil {
			return nil, r.failed(err)
		}
	case err != nil:
		return nil, r.failed(err)
	case info.Mode()&fs.ModeCharDevice != 0:
		return r, r.failed(unix.Access(name, unix.W_OK))
	case feed.is(info):
		return nil, usagef("--ready-file %s: the feed goes there", name)
	case info.Mode()&fs.ModeNamedPipe != 0:
		return r, r.failed(unix.Access(name, unix.W_OK))
	case info.Mode().IsRegular():
		if r.path, err = filepath.EvalSymlinks(name); err != nil {
			return nil, r.failed(err)
		}
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, r.failed(err)
		}
	default:
		return nil, usagef("--ready-file %s: want a regular file, a FIFO or a character device", name)
	}
	if r.temp, err = os.CreateTemp(filepath.Dir(r.path), filepath.Base(r.path)+".*"); err != nil {
		return nil, r.failed(err)
	}
	return r, nil
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

// write tells the process id: it puts the file in place, or writes into what was
// there.
func (r *readyFile) write() error {
	text := strconv.Itoa(os.Getpid()) + "\n"
	switch {
	case r.given == "":
		return nil
	case r.temp == nil:
		return r.failed(r.writeInto(text))
	}
	_, err := r.temp.WriteString(text)
	err = errors.Join(err, r.temp.Chmod(0o644), r.temp.Close())
	if err == nil {
		err = os.Rename(r.temp.Name(), r.path)
	}
	if err != nil {
		return r.failed(err)
	}
	r.temp = nil
	return nil
}

// writeInto writes into a FIFO or a device without waiting for a reader. A reader
// that has a FIFO open sees its end; one that comes later finds the text.
func (r *readyFile) writeInto(text string) error {
	const flags = unix.O_NONBLOCK | unix.O_NOCTTY
	file, err := os.OpenFile(r.given, os.O_WRONLY|flags, 0)
	noReader := errors.Is(err, syscall.ENXIO)
	if noReader {
		file, err = os.OpenFile(r.given, os.O_RDWR|flags, 0)
	}
	if err != nil {
		return err
	}
	_ = file.SetWriteDeadline(time.Now().Add(fifoPatience)) // a device may have none
	_, err = file.WriteString(text)
	if noReader && err == nil {
		r.held = file
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

// discard removes what was not put in place, and lets go of a FIFO.
func (r *readyFile) discard() {
	if r.temp != nil {
		r.temp.Close()
		os.Remove(r.temp.Name())
	}
	if r.held != nil {
		r.held.Close()
	}
}

// failed names the file as it was given, whichever file an error is about.
func (r *readyFile) failed(err error) error {
	if err == nil {
		return nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	} else if link, ok := errors.AsType[*os.LinkError](err); ok {
		err = link.Err
	}
	return fmt.Errorf("--ready-file %s: %w", r.given, err)
}
