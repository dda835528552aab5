package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/verialloc/verialloc/lab/internal/guest"
	"github.com/verialloc/verialloc/lab/internal/qemu"
)

// The exit codes of the runner itself; doc.go says what they mean.
const (
	codeEmulator = 116 + iota
	codeStarved
	codeIdle
	codeOops
	codeSetup
	codePanic
	codeTimeout
	codeLost
	codeInterrupted
)

// words are how the closing line names a guest that died.
var words = map[int]string{
	codeEmulator: "emulator",
	codeStarved:  "starved",
	codeIdle:     "idle",
	codeOops:     "oops",
	codePanic:    "panic",
	codeTimeout:  "timeout",
	codeLost:     "lost",
}

// commandExit is a command in the guest that ended with an exit code other
// than 0.
type commandExit int

func (c commandExit) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

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
	if crash, ok := errors.AsType[qemu.Crash](err); ok {
		switch {
		case crash.Impossible != "":
			return codeEmulator
		case crash.Oops:
			return codeOops
		default:
			return codePanic
		}
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, qemu.ErrDied):
		return codeEmulator
	case errors.Is(err, qemu.ErrStarved):
		return codeStarved
	case errors.Is(err, qemu.ErrIdle):
		return codeIdle
	case errors.Is(err, qemu.ErrTimeout):
		return codeTimeout
	case errors.Is(err, errInterrupted):
		return codeInterrupted
	case errors.Is(err, guest.ErrLost), errors.Is(err, errNoExit):
		return codeLost
	default:
		return codeSetup
	}
}

// died returns the word for a guest that died of err, empty where it did not.
func died(err error) string {
	if _, ok := errors.AsType[commandExit](err); ok {
		return "" // whatever its code
	}
	return words[exitCode(err)]
}

// reportFailure writes the last lines of stderr. Scripts search for the one that
// names the death, so it stands alone.
func reportFailure(stderr io.Writer, err error) {
	fmt.Fprintln(stderr, "vm:", strings.TrimSpace(err.Error()))
	if word := died(err); word != "" {
		fmt.Fprintln(stderr, "vm: guest died:", word)
	}
}
