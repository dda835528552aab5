package stream

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// limited takes so many bytes.
type limited struct {
	bytes.Buffer
	room int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.room)
	l.room -= n
	l.Buffer.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// However lines come, they are written whole, and each is counted once, as written or not.
func TestLines(t *testing.T) {
	const text = "one\ntwo\nthree\nfour"
	for _, piece := range []int{1, 2, 3, 5, 8, 100} {
		for room := range len(text) + 2 {
			to := &limited{room: room}
			l := NewLines(NewBounded(to, 0))
			for from := 0; from < len(text); from += piece {
				_, _ = l.Write([]byte(text[from:min(from+piece, len(text))]))
			}
			if shown := to.String(); l.failed == nil && !strings.HasSuffix(shown, "\n") && shown != "" {
				t.Errorf("pieces of %d: a line without its end: %q", piece, shown)
			}
			_ = l.Flush()
			got, whole := l.Outcome(), strings.Count(text[:min(room, len(text))], "\n")
			failed := room < len(text)
			torn := failed && room > 0 && text[room-1] != '\n'
			if got.Whole != whole || failed != errors.Is(got.Err, syscall.ENOSPC) || got.Torn != torn || failed && got.Lost != 4-whole || !failed && got.Lost != 0 {
				t.Errorf("pieces of %d, room for %d: %+v", piece, room, got)
			}
		}
	}
}

func TestLinesRest(t *testing.T) {
	l := NewLines(NewBounded(&limited{}, 0))
	if _, err := l.Write([]byte("one\n")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if n, err := io.WriteString(l.Rest(), "two\nthree"); n != 9 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := l.Outcome(); got.Lost != 3 {
		t.Errorf("%+v", got)
	}
}

// A file that has no room for a line ends with the line before it, be it ours, opened to
// append, or shared with an earlier writer.
func TestLinesCut(t *testing.T) {
	limitFiles(t, 10)
	for name, flags := range map[string]int{"own": os.O_TRUNC, "append": os.O_APPEND} {
		path := filepath.Join(t.TempDir(), "file")
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString("a\n"); err != nil {
			t.Fatal(err)
		}
		l := NewLines(NewBounded(file, 0))
		_, err = l.Write([]byte("first\nsecond\nthird\n"))
		got, readErr := os.ReadFile(path)
		if !errors.Is(err, syscall.EFBIG) || readErr != nil || string(got) != "a\nfirst\n" {
			t.Errorf("%s: %v, %v: %q", name, err, readErr, got)
		}
		if at := l.Outcome(); at.Whole != 1 || at.Lost != 2 || at.Torn {
			t.Errorf("%s: %+v", name, at)
		}
		if _, err := file.WriteString("b\n"); err != nil { // whoever shares it goes on there
			t.Error(err)
		}
		if got, _ := os.ReadFile(path); string(got) != "a\nfirst\nb\n" {
			t.Errorf("%s, written on: %q", name, got)
		}
	}
}

// limitFiles lets no file grow beyond a number of bytes, as a full disk does.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Stop(c)
	})
}
