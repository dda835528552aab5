package tracer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// openEnv makes the test binary open a tracer and exit with what came of it.
const openEnv = "VERIALLOC_TEST_OPEN"

const (
	openedCode = iota
	permissionCode
	unsupportedCode
	otherCode
)

func openAndExit() {
	_, err := Open(context.Background(), Config{})
	fmt.Fprintln(os.Stderr, err)
	switch {
	case err == nil:
		os.Exit(openedCode)
	case errors.Is(err, ErrPermission):
		os.Exit(permissionCode)
	case errors.Is(err, ErrUnsupported):
		os.Exit(unsupportedCode)
	}
	os.Exit(otherCode)
}

// Without root the answer is one clear line of the right class.
func TestLiveWithoutRoot(t *testing.T) {
	requireLive(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), openEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != permissionCode {
		t.Errorf("exit code %d, want %d for a refusal: %s", code, permissionCode, out)
	}
	if lines := bytes.Count(out, []byte("\n")); lines != 1 {
		t.Errorf("the error has %d lines: %q", lines, out)
	}
}
