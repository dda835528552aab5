package main

import (
	"errors"
	"fmt"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// The exit codes of the runner itself; doc.go tells their meaning.
const (
	codeSetup = 120 + iota
	codePanic
	codeTimeout
	codeLost
	codeInterrupted
)

// commandExit is a command in the guest that ended with an exit code other
// than 0.
type commandExit int

func (c commandExit) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// panicError is a kernel that panicked; its text is the kernel's own.
type panicError string

func (p panicError) Error() string { return string(p) }

// errTimeout is a guest that was killed for the time it took.
var errTimeout = errors.New("killed by --timeout")

// errInterrupted is a runner that a signal ended.
var errInterrupted = errors.New("interrupted")

// errNoExit is a guest that ended before its command did.
var errNoExit = errors.New("the guest ended without reporting an exit code: it rebooted, or its init died")

// exitCode returns the exit code of the runner for what a command of it
// returned.
func exitCode(err error) int {
	if code, ok := errors.AsType[commandExit](err); ok {
		return int(code)
	}
	if _, ok := errors.AsType[panicError](err); ok {
		return codePanic
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTimeout):
		return codeTimeout
	case errors.Is(err, errInterrupted):
		return codeInterrupted
	case errors.Is(err, guest.ErrLost), errors.Is(err, errNoExit):
		return codeLost
	default:
		return codeSetup
	}
}
