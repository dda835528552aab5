package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

func TestReceive(t *testing.T) {
	dir := t.TempDir()
	var line, stdout, stderr bytes.Buffer
	w := guest.NewWriter(&line)
	send := func(kind guest.Kind, payload string) {
		t.Helper()
		if err := w.Send(kind, []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	head := func(f guest.File) string {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	send(guest.Started, "")
	send(guest.Stdout, "out")
	send(guest.Stderr, "err")
	send(guest.FileStart, head(guest.File{Fetch: 0, Name: ".", Mode: 0o644}))
	send(guest.FileData, "one")
	send(guest.FileData, " two")
	send(guest.FileStart, head(guest.File{Fetch: 1, Name: "sub/empty", Mode: 0o600}))
	w.SendExit(7)

	file, tree := filepath.Join(dir, "file"), filepath.Join(dir, "tree")
	s := session{plan: plan{fetch: []string{file, tree}}, stdout: &stdout, stderr: &stderr}
	if err := s.receive(&line); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "out" || stderr.String() != "err" || s.exit == nil || *s.exit != 7 {
		t.Errorf("got stdout %q, stderr %q, exit %v", &stdout, &stderr, s.exit)
	}
	for path, want := range map[string]string{file: "one two", filepath.Join(tree, "sub/empty"): ""} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
}

// TestReceiveRefuses checks that a guest writes only to where it was asked to.
func TestReceiveRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a way out":        `{"Fetch":0,"Name":"../x"}`,
		"an absolute path": `{"Fetch":0,"Name":"/x"}`,
		"not asked for":    `{"Fetch":1,"Name":"x"}`,
		"below the first":  `{"Fetch":-1,"Name":"x"}`,
		"no header":        `{`,
	} {
		s := session{plan: plan{fetch: []string{filepath.Join(t.TempDir(), "tree")}}}
		if err := s.startFile([]byte(text)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	s := session{}
	if err := s.handle(guest.Frame{Kind: guest.FileData}); !errors.Is(err, guest.ErrLost) {
		t.Errorf("content without a file: got %v, want ErrLost", err)
	}
}
