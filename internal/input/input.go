// Package input opens and reads what users and kernels give: every file and stream as what
// it is to be, and never more of one than that kind has. Nothing else in this module opens a
// file to read from it.
//
// A device, a directory or a socket is refused before it is opened; /dev/null is an empty
// file. What may come from another program may come by a pipe, which is waited for.
package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Kind is what an input is to be.
type Kind struct {
	bytes int64 // the most that is read of one
	pipe  bool  // it may be a pipe
}

// The kinds. Their limits are far beyond what anything real has; what is kept in memory of
// an input is in proportion to it.
var (
	List      = Kind{16 << 20, true}   // names, filters, expressions: @FILE; small files of the lab
	Table     = Kind{64 << 20, true}   // CSV of veristat: half a million programs
	Recording = Kind{2 << 30, true}    // a recording of bench, or the feed of a trace that is read as a whole
	Object    = Kind{64 << 20, true}   // a BPF object; those of the kernel's own tests have less than 1 MiB
	Kernel    = Kind{128 << 20, false} // what a kernel or its package says; kallsyms, the longest, has some 20 MiB
)

// RecordingLine is the greatest length of a line of a recording or a feed, in bytes: a
// line is kept as a whole, also one of a feed that is read line by line without an end.
const RecordingLine = 16 << 20

// ErrTooLarge is what errors match that say that there is more of an input than its limit.
var ErrTooLarge = errors.New("it is larger")

var (
	errDevice    = errors.New("it is a device: want a file")
	errDirectory = errors.New("it is a directory: want a file")
	errSocket    = errors.New("it is a socket: want a file")
	errPipe      = errors.New("it is a pipe: want a file")
)

// tooLarge is the error of an input beyond the limit.
func (k Kind) tooLarge() error {
	size := fmt.Sprintf("%d MiB", k.bytes>>20)
	if k.bytes >= 1<<30 {
		size = fmt.Sprintf("%d GiB", k.bytes>>30)
	}
	return fmt.Errorf("%w than the %s that are read of such a file", ErrTooLarge, size)
}

// File is an open file of which no more is read than its kind permits.
type File struct {
	io.Reader
	file fs.File
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Open opens a file by its path. Errors are of type *fs.PathError.
func (k Kind) Open(name string) (*File, error) {
	// Opening a device may have an effect, and opening a pipe may take its time.
	info, err := os.Stat(name)
	if err == nil {
		err = pathError(name, k.check(info))
	}
	if err != nil {
		return nil, err
	}
	return k.openLooked(name)
}

// openLooked opens a file that was looked at.
func (k Kind) openLooked(name string) (*File, error) {
	flags := os.O_RDONLY
	if !k.pipe {
		flags |= syscall.O_NONBLOCK // a pipe that has taken its place is not waited for
	}
	file, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return nil, err
	}
	return k.opened(name, file)
}

// OpenIn opens a regular file of a file system. Errors are of type *fs.PathError.
func (k Kind) OpenIn(root fs.FS, name string) (*File, error) {
	info, err := fs.Stat(root, name)
	if err == nil {
		err = pathError(name, k.check(info))
	}
	if err != nil {
		return nil, err
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	return k.opened(name, file)
}

// opened looks again at what was opened: a name may be given to another file at any time.
func (k Kind) opened(name string, file fs.File) (*File, error) {
	info, err := file.Stat()
	if err == nil {
		err = pathError(name, k.check(info))
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{k.Reader(file), file}, nil
}

// ReadFile reads a whole file by its path. Errors are of type *fs.PathError.
func (k Kind) ReadFile(name string) ([]byte, error) {
	file, err := k.Open(name)
	if err != nil {
		return nil, err
	}
	return file.readAll(name)
}

// ReadFileIn reads a whole regular file of a file system. Errors are of type *fs.PathError.
func (k Kind) ReadFileIn(root fs.FS, name string) ([]byte, error) {
	file, err := k.OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	return file.readAll(name)
}

func (f *File) readAll(name string) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(f)
	if _, ok := errors.AsType[*fs.PathError](err); err != nil && !ok {
		err = &fs.PathError{Op: "read", Path: name, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// Reader returns a reader of r that fails with ErrTooLarge where r has more than the kind permits.
func (k Kind) Reader(r io.Reader) io.Reader { return &reader{r, k.bytes, k} }

// ReadAll reads a stream to its end.
func (k Kind) ReadAll(r io.Reader) ([]byte, error) { return io.ReadAll(k.Reader(r)) }

// reader reads up to a limit. Its own end is that of the underlying reader: where that
// goes on it is an error.
type reader struct {
	r    io.Reader
	left int64 // less than 0: there was more
	kind Kind
}

func (b *reader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.kind.tooLarge()
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, b.kind.tooLarge()
	}
	return n, err
}

// check refuses what is no file, and a file whose size is beyond the limit.
func (k Kind) check(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular() && info.Size() > k.bytes:
		return k.tooLarge()
	case mode.IsRegular(), isNull(info), k.pipe && mode&fs.ModeNamedPipe != 0:
		return nil
	case mode.IsDir():
		return errDirectory
	case mode&fs.ModeSocket != 0:
		return errSocket
	case mode&fs.ModeNamedPipe != 0:
		return errPipe
	default:
		return errDevice
	}
}

// nullDevice is the number of /dev/null, from the kernel's admin-guide/devices.txt.
const nullDevice = 1<<8 | 3

// isNull reports whether a file is /dev/null, by whatever name.
func isNull(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && stat.Rdev == nullDevice
}

func pathError(name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}
