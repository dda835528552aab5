package ready

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func free(fs.FileInfo) bool { return false }

// A file is there with Write and not before, and an earlier one is gone from Prepare on.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ready")
	if err := os.WriteFile(name, []byte("stale"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer unix.Umask(unix.Umask(0o077))
	for _, write := range []bool{false, true} {
		f, err := Prepare(name, free)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ahead of Write: %v", err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("a process that is killed ahead of Write leaves %v", entries)
		}
		if write {
			err = f.Write("text\n")
		}
		f.Discard()
		entries, _ := os.ReadDir(dir)
		if err != nil || (len(entries) != 0) != write {
			t.Errorf("written %v, error %v: left %v", write, err, entries)
		}
	}
	text, err := os.ReadFile(name)
	info, statErr := os.Stat(name)
	if err = errors.Join(err, statErr); err != nil || string(text) != "text\n" || info.Mode() != 0o644 {
		t.Errorf("%q, %v, %v", text, info, err)
	}
}

// A file that takes an earlier one's place has its mode.
func TestModeIsKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ready")
	for _, mode := range []fs.FileMode{0o600, 0o664} {
		err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chmod(name, mode))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Prepare(name, free)
		if err == nil {
			err = f.Write("text")
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Discard()
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%v, %v: want mode %v", info, err, mode)
		}
	}
}

func TestNoFile(t *testing.T) {
	f, err := Prepare("", free)
	if err == nil {
		err = f.Write("text")
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
}

// What is refused stays what it is, and errors leave the name to the caller.
func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("feed"), []byte("feed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", in("loop")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		taken bool
		want  error
	}{
		{dir, false, ErrKind},
		{in("feed"), true, ErrTaken},
		{in("loop"), false, unix.ELOOP},
		{in("none/ready"), false, unix.ENOENT},
	} {
		f, err := Prepare(c.name, func(fs.FileInfo) bool { return c.taken })
		if !errors.Is(err, c.want) || err.Error() != c.want.Error() || f != nil {
			t.Errorf("%s: %v, %v: want %v", c.name, f, err, c.want)
		}
	}
	if text, err := os.ReadFile(in("feed")); err != nil || string(text) != "feed" {
		t.Errorf("the feed is now %q, %v", text, err)
	}
}

// A reader that opens a FIFO later still finds the text, and then its end.
func TestFIFO(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Prepare(name, free)
	if err == nil {
		err = f.Write("text")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Discard()
	if text, err := os.ReadFile(name); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}
