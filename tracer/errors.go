package tracer

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cilium/ebpf"
)

// ErrConfig is returned (wrapped) for a Config that no kernel could serve.
var ErrConfig = errors.New("bad configuration")

// ErrPermission is returned (wrapped) where the kernel refuses what tracing takes
// at the least: no root, lockdown, or a security policy.
var ErrPermission = errors.New("not permitted")

// ErrUnsupported is returned (wrapped) where the kernel lacks what tracing takes
// at the least: BTF, the BPF ring buffer, kmem tracepoints.
var ErrUnsupported = errors.New("not supported by this kernel")

// refused reports whether an error is the kernel's refusal rather than a lack. That of its
// verifier, which is EACCES as well but has a log, is neither.
func refused(err error) bool {
	var rejected *ebpf.VerifierError
	if errors.As(err, &rejected) && len(rejected.Log) > 0 {
		return false
	}
	return errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)
}

// classify wraps err with ErrPermission or ErrUnsupported where it is one.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrPermission), errors.Is(err, ErrUnsupported):
		return err
	case refused(err):
		return fmt.Errorf("%w: %w", ErrPermission, err)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}
