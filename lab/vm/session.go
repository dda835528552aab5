package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/verialloc/verialloc/lab/internal/guest"
	"github.com/verialloc/verialloc/lab/internal/qemu"
)

// session is one boot of a guest and what is read from it.
type session struct {
	machine        qemu.Machine
	plan           plan
	stdout, stderr io.Writer
	logs           []io.Writer // where the kernel's console goes

	started bool
	exit    *int     // the command's exit code, when it was reported
	file    *os.File // the file that is coming in
}

// run boots the guest, passes its output on, and returns nil when the command
// ended with exit code 0.
func (s *session) run(ctx context.Context) error {
	console := qemu.NewConsole(s.logs...)
	err := s.machine.Run(ctx, console, s.receive)
	if err = s.verdict(err, console); died(err) != "" {
		fmt.Fprintf(s.stderr, "vm: last lines of the kernel's console:\n%s\n", strings.Join(console.Tail(), "\n"))
	}
	return err
}

// verdict says how a machine ended whose run returned err. A crash of the kernel
// comes first: it explains everything else.
func (s *session) verdict(err error, console *qemu.Console) error {
	switch crash, crashed := console.Crash(); {
	case s.exit != nil && !qemu.IsLimit(err): // at a limit the command got an order to quit
		if *s.exit != 0 {
			return commandExit(*s.exit)
		}
		return nil
	case crashed:
		return crash
	case qemu.IsLimit(err) && !s.started:
		return fmt.Errorf("the guest did not boot: %w", err)
	case qemu.IsLimit(err):
		return fmt.Errorf("the command did not end: %w", err)
	case err != nil:
		return err
	default:
		return errNoExit
	}
}

// receive handles the frames that arrive until the guest reports its command's
// exit code or ends.
func (s *session) receive(line io.Reader) error {
	defer func() { _ = s.closeFile() }() // open only where the guest broke off
	for frames := guest.NewReader(line); s.exit == nil; {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.handle(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) handle(f guest.Frame) error {
	switch f.Kind {
	case guest.Started:
		s.started = true
		return nil
	case guest.Stdout:
		_, err := s.stdout.Write(f.Payload)
		return err
	case guest.Stderr:
		_, err := s.stderr.Write(f.Payload)
		return err
	case guest.FileStart:
		return s.startFile(f.Payload)
	case guest.FileData:
		if s.file == nil {
			return fmt.Errorf("file content without a file: %w", guest.ErrLost)
		}
		_, err := s.file.Write(f.Payload)
		return err
	case guest.Failure:
		return fmt.Errorf("in the guest: %s", f.Payload)
	case guest.Exit:
		code, err := f.ExitCode()
		if err != nil {
			return err
		}
		s.exit = &code
		return s.closeFile()
	default:
		return fmt.Errorf("frame of unknown kind %d: %w", f.Kind, guest.ErrLost)
	}
}

// startFile creates the next file that the guest sends.
func (s *session) startFile(text []byte) error {
	if err := s.closeFile(); err != nil {
		return err
	}
	var head guest.File
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("file header: %w: %w", err, guest.ErrLost)
	}
	if head.Fetch < 0 || head.Fetch >= len(s.plan.fetch) || !filepath.IsLocal(head.Name) {
		return fmt.Errorf("the guest sent a file that was not asked for: %q", head.Name)
	}
	path := filepath.Join(s.plan.fetch[head.Fetch], head.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var err error
	s.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, head.Mode)
	return err
}

func (s *session) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
