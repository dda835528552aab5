package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A trace ends on SIGTERM though nobody reads its feed, which the events of a program fill.
func TestLiveEndsUnread(t *testing.T) {
	requireLive(t)
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ready := filepath.Join(t.TempDir(), "ready")
	if err := unix.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "--events", "-o", "jsonl", "--ready-file", ready)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = pipe, &stderr
	if err := errors.Join(cmd.Start(), pipe.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(ready); err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := runCommand(t, exec.CommandContext(t.Context(), self(t), "stress", "--branches", "1000")); code != 0 {
		t.Fatal(errOut)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its state says it
	got := outcome{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}
	got.want(t, codeOutput, "its reader does not read")
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if written, lost := got.counts(t); written != bytes.Count(text, []byte("\n")) || lost == 0 {
		t.Errorf("said to be written: %d, not written: %d; read: %d", written, lost, bytes.Count(text, []byte("\n")))
	}
}

// On a file system that is full a feed ends with a whole line.
func TestLiveFull(t *testing.T) {
	requireLive(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	feed := filepath.Join(dir, "feed")
	var got outcome
	got.stdout, got.stderr, got.code = verialloc(t, "trace", "--events", "-o", "jsonl", "--output", feed, "--",
		self(t), "stress", "--branches", "1000")
	got.want(t, codeOutput, "no space left on device")
	text, err := os.ReadFile(feed)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if last := lines[len(lines)-1]; !bytes.HasSuffix(text, []byte("\n")) || !json.Valid(last) {
		t.Errorf("the last line: %s", last)
	}
	if written, lost := got.counts(t); written != len(lines) || lost == 0 {
		t.Errorf("said to be written: %d, not written: %d; there: %d", written, lost, len(lines))
	}
}
