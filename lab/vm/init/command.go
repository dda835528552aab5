package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// command runs the command of the spec, sends its output, and returns its exit
// code: 128 plus the signal's number when a signal ended it, as a shell says. When
// awaitQuit returns, the command and its children get SIGQUIT.
func command(spec guest.Spec, out *guest.Writer, awaitQuit func()) (int, error) {
	env := append([]string{"PATH=" + guest.Path, "HOME=/root", "USER=root", "TERM=dumb"}, spec.Env...)
	if err := os.Setenv("PATH", guest.Path); err != nil { // for LookPath
		return 0, err
	}
	path, err := exec.LookPath(spec.Args[0])
	if err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	var (
		pumps  [2]pump
		copies sync.WaitGroup
	)
	for i, kind := range []guest.Kind{guest.Stdout, guest.Stderr} {
		if pumps[i], err = newPump(out.Stream(kind)); err != nil {
			return 0, err
		}
	}
	if err := out.Send(guest.Started, nil); err != nil {
		return 0, err
	}
	process, err := os.StartProcess(path, spec.Args, &os.ProcAttr{
		Dir:   spec.Dir,
		Env:   env,
		Files: []*os.File{null, pumps[0].w, pumps[1].w},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", spec.Args[0], err)
	}
	go func() {
		awaitQuit()
		_ = unix.Kill(-process.Pid, unix.SIGQUIT) // fails where all have ended
	}()
	errs := make([]error, len(pumps))
	for i, p := range pumps {
		p.w.Close()
		copies.Go(func() { errs[i] = p.copy() })
	}
	status, err := waitFor(process.Pid)
	if err != nil {
		return 0, err
	}
	for _, p := range pumps {
		_ = p.r.SetReadDeadline(time.Now()) // fails only where reading has ended
	}
	copies.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("pass output on: %w", err)
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// waitFor reaps every process that ends until pid does: process 1 inherits the
// orphans.
func waitFor(pid int) (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		switch got, err := unix.Wait4(-1, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait for the command: %w", err)
		case got == pid:
			return status, nil
		}
	}
}

// pump passes on what arrives in a pipe.
type pump struct {
	r, w *os.File
	to   io.Writer
}

func newPump(to io.Writer) (pump, error) {
	r, w, err := os.Pipe()
	return pump{r, w, to}, err
}

// copy copies until the pipe's end, or until its read deadline and then what
// was in the pipe by that time: a process that the command left behind may hold
// the other end open for ever.
func (p pump) copy() error {
	buf := make([]byte, guest.MaxPayload)
	_, err := io.CopyBuffer(onlyWriter{p.to}, onlyReader{p.r}, buf)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	n, err := unix.IoctlGetInt(int(p.r.Fd()), unix.TIOCINQ)
	if err != nil {
		return err
	}
	if err := p.r.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	_, err = io.CopyN(p.to, p.r, int64(n))
	return err
}

// onlyReader and onlyWriter hide the methods by which io.CopyBuffer would pass
// over its buffer.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
