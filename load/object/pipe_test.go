package object

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// An object may come by a pipe, which is read once, also where it does not have a global.
func TestOpenPipe(t *testing.T) {
	image := libraryObject(t, "variables-el.elf")
	path := filepath.Join(t.TempDir(), "pipe.o")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	unknown, err := ParseGlobal("unknown = 1")
	if err != nil {
		t.Fatal(err)
	}
	for _, globals := range [][]Global{nil, {unknown}} {
		written := make(chan error)
		go func() { written <- os.WriteFile(path, image, 0) }()
		subjects, err := Open(path, Options{Globals: globals})
		if err := <-written; err != nil {
			t.Error(err)
		}
		switch {
		case globals == nil && (err != nil || len(subjects) == 0):
			t.Errorf("%d programs, error %v", len(subjects), err)
		case globals != nil && (!errors.Is(err, ErrGlobals) || !strings.HasPrefix(err.Error(), path+": ")):
			t.Errorf("error %v, want one of the globals that begins with the object", err)
		}
	}
}
