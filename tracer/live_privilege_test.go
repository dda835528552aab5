package tracer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
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
	_, err := Open(Config{})
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

// openWithoutTracefs opens a tracer as where the kernel refuses tracefs.
func openWithoutTracefs(cfg Config) (*Tracer, error) {
	return openChanged(cfg, func(o *object) error {
		var err error
		if o.tracefs != nil {
			err = o.tracefs.Close()
		}
		o.tracefs, o.tracefsErr = nil, os.ErrPermission
		return err
	})
}

// openChanged opens a tracer with something changed before anything is attached.
func openChanged(cfg Config, change func(*object) error) (*Tracer, error) {
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	k, err := readKernel()
	if err != nil {
		return nil, err
	}
	o, err := newObject(k, &cfg)
	if err != nil {
		return nil, err
	}
	t := &Tracer{config: cfg, kernel: k, progTypes: k.types.ProgTypes()}
	return t, errors.Join(change(o), t.open(o))
}

// Without tracefs raw tracepoints serve, and each load is still seen once.
func TestLiveWithoutTracefs(t *testing.T) {
	requireLive(t)
	s := traceBy(t, openWithoutTracefs, Config{IncludeSelf: true}, nil)
	want := loadCase(t, generate.Stress(1000))
	v := one(t, s.finish(), "stress")
	for _, h := range s.Environment().Hooks {
		if slices.Contains(h.Serving(), record.MeansTracepoint) {
			t.Errorf("%s is served by a tracepoint", h.Name)
		}
	}
	if !v.ReachedVerifier || v.Verdict != record.VerdictAccepted {
		t.Errorf("%s, reached the verifier: %v", v.Verdict, v.ReachedVerifier)
	}
	if len(s.attachment.inexactLedger) == 0 {
		checkExact(t, v, want)
	}
}
