// Package loadtest has what the tests of package load and of those below it share.
package loadtest

import (
	"os"
	"testing"
)

// RequireRoot skips a test that loads programs where that is not permitted.
func RequireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("loading BPF programs needs root")
	}
}

// RequireLive skips a test of the running kernel where none is asked for.
func RequireLive(t *testing.T) {
	t.Helper()
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
}
