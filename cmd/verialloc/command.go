package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// signalBase is what shells add to the number of the signal that killed a
// command to make it an exit code.
const signalBase = 128

// findCommand returns the command of the arguments, nil if there are none. Its
// standard output joins stderr unless stdout is free.
func findCommand(args []string, stdout, stderr io.Writer, stdoutFree bool) (*exec.Cmd, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		return nil, usageError{fmt.Errorf("find the command: %w", err)}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stderr, stderr
	if stdoutFree {
		cmd.Stdout = stdout
	}
	return cmd, nil
}

// waitCommand waits for a started command to end and returns nil, its
// commandExit, or why its end is not known. When ctx ends by a signal that did not
// come from a key, and so not to the command as well, it is passed on.
func waitCommand(ctx context.Context, cmd *exec.Cmd) error {
	defer context.AfterFunc(ctx, func() {
		if cause, ok := errors.AsType[signalled](context.Cause(ctx)); ok && cause.Signal != os.Interrupt {
			cmd.Process.Signal(cause.Signal)
		}
	})()
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return commandExit(signalBase + int(status.Signal()))
	}
	return commandExit(exit.ExitCode())
}
