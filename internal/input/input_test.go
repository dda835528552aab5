package input

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"
)

// small is a kind with a limit that a test can reach.
var small = Kind{bytes: 10, pipe: true}

// endless is a stream without an end. It counts what is taken of it.
type endless struct{ taken int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.taken += len(p)
	return len(p), nil
}

func TestReader(t *testing.T) {
	for length, want := range map[int]error{0: nil, 9: nil, 10: nil, 11: ErrTooLarge, 1000: ErrTooLarge} {
		for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			text := strings.Repeat("x", length)
			got, err := small.ReadAll(wrap(strings.NewReader(text)))
			if !errors.Is(err, want) || string(got) != text[:min(length, 10)] {
				t.Errorf("%d bytes: got %d, error %v, want %v", length, len(got), err, want)
			}
		}
	}
	if _, err := small.ReadAll(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v, want the reader's own", err)
	}
	if err := iotest.TestReader(small.Reader(strings.NewReader("0123456789")), []byte("0123456789")); err != nil {
		t.Error(err)
	}
}

// No kind takes more of a stream without an end than its limit and a byte.
func TestEndless(t *testing.T) {
	for _, kind := range []Kind{List, Table, Object, Kernel, Recording} {
		source := &endless{}
		n, err := io.Copy(io.Discard, struct{ io.Reader }{kind.Reader(source)})
		if !errors.Is(err, ErrTooLarge) || n != kind.bytes || int64(source.taken) != kind.bytes+1 {
			t.Errorf("%d MiB: read %d, took %d, error %v", kind.bytes>>20, n, source.taken, err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("file", "0123456789")
	write("larger", "0123456789a")
	write("sparse", "")
	if err := os.Truncate(path("sparse"), 1<<40); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", path("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", path("good")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, c := range []struct {
		kind       Kind
		name, want string
	}{
		{small, path("file"), ""},
		{small, path("good"), ""},
		{small, "/dev/null", ""},
		{small, path("larger"), "it is larger than the 0 MiB that are read of such a file"},
		{Recording, path("sparse"), "larger than the 2 GiB"},
		{Object, path("sparse"), "larger than the 64 MiB"},
		{small, path("none"), "no such file"},
		{small, dir, "it is a directory: want a file"},
		{small, "/dev/zero", "it is a device: want a file"},
		{small, path("link"), "it is a device: want a file"},
		{small, path("socket"), "it is a socket: want a file"},
		{Kernel, path("pipe"), "it is a pipe: want a file"}, // not opened, which would wait for a writer
	} {
		text, err := c.kind.ReadFile(c.name)
		_, isPath := errors.AsType[*fs.PathError](err)
		switch {
		case c.want == "" && err != nil, c.want != "" && (!isPath || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		case c.want == "" && c.name != "/dev/null" && string(text) != "0123456789":
			t.Errorf("%s: %q", c.name, text)
		}
	}
}

// A pipe is read as far as a file is.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{"0123456789": nil, "0123456789a": ErrTooLarge} {
		written := make(chan error)
		go func() { written <- os.WriteFile(path, []byte(text), 0) }()
		got, err := small.ReadFile(path)
		if !errors.Is(err, want) || want == nil && string(got) != text {
			t.Errorf("%q: got %q, error %v, want %v", text, got, err, want)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
}

// A pipe that takes the place of a file once that was looked at is not waited for.
func TestPipeInPlaceOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		_, err := Kernel.openLooked(path)
		opened <- err
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, errPipe) {
			t.Errorf("error %v, want %v", err, errPipe)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for a writer")
		writer, err := os.OpenFile(path, os.O_RDWR, 0) // which lets it go on
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		<-opened
	}
}

func TestOpenIn(t *testing.T) {
	root := fstest.MapFS{
		"good":   {Data: []byte("0123456789")},
		"larger": {Data: []byte("0123456789a")},
		"device": {Mode: fs.ModeDevice | fs.ModeCharDevice},
		"dir":    {Mode: fs.ModeDir},
	}
	if text, err := small.ReadFileIn(root, "good"); err != nil || !bytes.Equal(text, []byte("0123456789")) {
		t.Errorf("%q, %v", text, err)
	}
	for name, want := range map[string]string{
		"larger": "it is larger than", "device": "it is a device", "dir": "it is a directory", "none": "does not exist",
	} {
		_, err := small.ReadFileIn(root, name)
		if _, ok := errors.AsType[*fs.PathError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}
