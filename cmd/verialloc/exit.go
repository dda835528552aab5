package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer"
)

// The exit codes; doc.go has their meaning.
const (
	codeOK = iota
	codeError
	codeUsage
	codePermission
	codeUnsupported
	codeOutput
	codeInexact
	codeLimit
	codeUndecided
)

// usageError is a command line that asks for what cannot be.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// outputError is a feed that could not be written.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

// commandExit is an exit code that needs no words: the traced command's, not 0,
// or that of a signal.
type commandExit int

func (c commandExit) Error() string {
	return fmt.Sprintf("the command ended with exit code %d", int(c))
}

var (
	errInexact   = errors.New("not every record is exact: see EXACT above, and the losses in the summary")
	errLimit     = errors.New("beyond a limit")
	errUndecided = errors.New("undecided")
	errDiagnose  = errors.New("this kernel lacks what verialloc requires: see the advice above")
)

// report prints an error as one line and returns its exit code.
func (a *app) report(err error) int {
	code := exitCode(err)
	_, isCommand := errors.AsType[commandExit](err)
	if code == codeOK || isCommand {
		return code // the command has printed its own error
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ") // of errors that were joined
	if code == codePermission && !privileged() {
		text += ": run verialloc as root, or with CAP_BPF and CAP_PERFMON"
	}
	a.log().Error().Msg(text)
	return code
}

// privileged reports whether this process has what loading tracing programs takes.
func privileged() bool {
	capabilities, err := kernel.ReadCapabilities()
	if err != nil {
		return os.Geteuid() == 0
	}
	return capabilities.MayTrace()
}

// exitCode returns the exit code for what a command of verialloc returned.
func exitCode(err error) int {
	if command, ok := errors.AsType[commandExit](err); ok {
		return int(command)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return codeUsage
	}
	if _, ok := errors.AsType[outputError](err); ok {
		return codeOutput
	}
	switch {
	case err == nil:
		return codeOK
	case errors.Is(err, tracer.ErrConfig):
		return codeUsage
	case errors.Is(err, tracer.ErrPermission):
		return codePermission
	case errors.Is(err, tracer.ErrUnsupported), errors.Is(err, errDiagnose):
		return codeUnsupported
	case errors.Is(err, errInexact):
		return codeInexact
	case errors.Is(err, errLimit):
		return codeLimit
	case errors.Is(err, errUndecided):
		return codeUndecided
	default:
		return codeError
	}
}
