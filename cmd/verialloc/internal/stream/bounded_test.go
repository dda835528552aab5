package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// much is more than any of these takes unread.
var much = []byte(strings.Repeat("a line of text\n", 1<<17))

// stalls are writers of which nobody reads.
func stalls(t *testing.T) map[string]*os.File {
	t.Helper()
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*os.File{"pipe": pipe, "socket": os.NewFile(uintptr(pair[0]), "socket")}
	other := os.NewFile(uintptr(pair[1]), "socket")
	t.Cleanup(func() { reader.Close(); other.Close() })
	if master, terminal, err := openTerminal(); err == nil {
		files["terminal"] = terminal
		t.Cleanup(func() { master.Close() })
	} else {
		t.Logf("no terminal: %v", err)
	}
	for _, f := range files {
		t.Cleanup(func() { f.Close() })
	}
	return files
}

func openTerminal() (master, terminal *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	return master, terminal, err
}

// A write that nobody reads ends with the end, and not before; then none waits.
func TestBoundedStalls(t *testing.T) {
	for name, file := range stalls(t) {
		t.Run(name, func(t *testing.T) {
			b := NewBounded(file, 10*time.Millisecond)
			done := make(chan error, 1)
			go func() {
				_, err := b.Write(much)
				done <- err
			}()
			select {
			case err := <-done:
				t.Fatalf("ahead of the end: %v", err)
			case <-time.After(2 * lookEvery):
			}
			b.End()
			if err := <-done; !errors.Is(err, ErrStalled) {
				t.Errorf("after the end: %v", err)
			}
			if n, err := b.Write(much); n != 0 || !errors.Is(err, ErrStalled) {
				t.Errorf("again: %d, %v", n, err)
			}
			if flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
				t.Errorf("what others share was changed: %#x, %v", flags, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A reader that is slow gets all, also what it reads after the end.
func TestBoundedIsRead(t *testing.T) {
	for _, ended := range []bool{false, true} {
		reader, file, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		b := NewBounded(file, time.Hour)
		if ended {
			b.End()
		}
		done := make(chan error, 1)
		go func() {
			_, err := b.Write(much)
			done <- errors.Join(err, b.Close(), file.Close())
		}()
		got, err := io.ReadAll(reader)
		if err = errors.Join(err, <-done, reader.Close()); err != nil || !bytes.Equal(got, much) {
			t.Errorf("ended %v: %d of %d bytes, %v", ended, len(got), len(much), err)
		}
	}
}

// A reader that takes less at a time than makes room is not one that does not read.
func TestBoundedIsReadLittleByLittle(t *testing.T) {
	const patience = 500 * time.Millisecond
	reader, file, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := NewBounded(file, patience)
	b.End()
	done := make(chan error, 1)
	go func() {
		_, err := b.Write(much)
		done <- errors.Join(err, b.Close(), file.Close())
	}()
	// Four times the patience, in which a page is not read.
	some := make([]byte, 40)
	for range 40 {
		if _, err := io.ReadFull(reader, some); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			t.Fatalf("while it was read: %v", err)
		case <-time.After(patience / 10):
		}
	}
	if err := <-done; !errors.Is(err, ErrStalled) {
		t.Errorf("no longer read: %v", err)
	}
	reader.Close()
}

// Where poll finds room that a write does not, a write neither lasts beyond the end nor
// keeps a CPU busy.
func TestBoundedFindsNoRoom(t *testing.T) {
	fd, err := unix.Eventfd(1, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// Its counter has room, but not for this.
	most := binary.NativeEndian.AppendUint64(nil, math.MaxUint64-1)
	b := &Bounded{fd: fd, patience: 100 * time.Millisecond} // to NewBounded it is a regular file
	b.End()
	done := make(chan error, 1)
	before := cpuTime(t)
	go func() {
		_, err := b.Write(most)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, ErrStalled) {
			t.Errorf("error %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
		read := make([]byte, 8) // so that there is room
		if _, err := unix.Read(fd, read); err != nil {
			t.Fatal(err)
		}
		<-done
	}
	if took := cpuTime(t) - before; took > 50*time.Millisecond {
		t.Errorf("it took %v of a CPU", took)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

func TestBoundedReaderGone(t *testing.T) {
	reader, file, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b := NewBounded(file, time.Hour)
	reader.Close()
	for range 2 {
		if _, err := b.Write(much); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("got %v", err)
		}
	}
	late := NewBounded(file, time.Hour)
	if _, err := late.Write(much); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("gone from the start: %v", err)
	}
}
