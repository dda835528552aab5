package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kernelVariable names the kernel to boot in the tests that boot one; they are
// skipped without it.
const kernelVariable = "VERIALLOC_VM"

// boot runs a shell script in a guest.
func boot(t *testing.T, script string, flags ...string) (code int, stdout, stderr string) {
	t.Helper()
	kernel := os.Getenv(kernelVariable)
	if kernel == "" {
		t.Skip("set " + kernelVariable + " to a kernel, such as 6.12, to boot it")
	}
	args := append([]string{"run", "--kernel", kernel, "--no-verialloc", "--timeout", "5m"}, flags...)
	var out, errs bytes.Buffer
	code = run(t.Context(), append(args, "--", "sh", "-c", script), &out, &errs)
	return code, out.String(), errs.String()
}

func TestVMPassesThrough(t *testing.T) {
	host := filepath.Join(t.TempDir(), "back")
	code, stdout, stderr := boot(t, `echo out; echo err >&2; sleep 1000 & echo $A; pwd
		cat /tmp/hosts | wc -l; echo kept > /tmp/file
		for f in /sys/kernel/tracing/README /sys/fs/cgroup/cgroup.controllers; do test -e $f && echo $f; done
		exit 3`,
		"--env", "A=b", "--file", "/etc/hostname:/tmp/hosts", "--mount", "tracefs", "--mount", "bpffs", "--fetch-file", "/tmp/file:"+host)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := "out\nb\n" + dir + "\n1\n/sys/kernel/tracing/README\n/sys/fs/cgroup/cgroup.controllers\n"
	if code != 3 || stdout != want || stderr != "err\n" {
		t.Errorf("got code %d, stdout %q, stderr\n%s", code, stdout, stderr)
	}
	if got, err := os.ReadFile(host); err != nil || string(got) != "kept\n" {
		t.Errorf("fetched file: got %q, %v", got, err)
	}
}

func TestVMLargeOutput(t *testing.T) {
	const size = 2 << 20
	code, stdout, stderr := boot(t, fmt.Sprintf(`head -c %d /dev/urandom > /tmp/x; sha256sum < /tmp/x >&2; cat /tmp/x`, size))
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(stdout)))
	if code != 0 || len(stdout) != size || !strings.HasPrefix(stderr, sum) {
		t.Errorf("got code %d, %d bytes with sum %s, stderr\n%s", code, len(stdout), sum, stderr)
	}
}

func TestVMFailures(t *testing.T) {
	for _, test := range []struct {
		name, script string
		flags        []string
		code         int
		message      string
	}{
		{"panic", "echo c > /proc/sysrq-trigger", nil, codePanic, "vm: Kernel panic - not syncing"},
		{"hang", "sleep 1000", []string{"--timeout", "60s"}, codeTimeout, "vm: the command did not end"},
		{"reboot", "reboot -f", nil, codeLost, "vm: the guest ended without"},
		{"other bytes on the line", "echo noise > /dev/ttyS1; echo", nil, codeLost, "output was lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := boot(t, test.script, test.flags...)
			if code != test.code || !strings.Contains(stderr, test.message) {
				t.Errorf("got code %d, want %d; stderr %s", code, test.code, stderr)
			}
			if lines := strings.Count(stderr, "\n"); lines < 20 {
				t.Errorf("got %d lines on stderr: the console's last are missing", lines)
			}
		})
	}
}

func TestVMInterrupted(t *testing.T) {
	kernel := os.Getenv(kernelVariable)
	if kernel == "" {
		t.Skip("set " + kernelVariable + " to a kernel, such as 6.12, to boot it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var stderr bytes.Buffer
	code := run(ctx, []string{"run", "--kernel", kernel, "--no-verialloc", "--", "sleep", "1000"}, &stderr, &stderr)
	if code != codeInterrupted || !strings.HasSuffix(stderr.String(), "vm: interrupted\n") {
		t.Errorf("got code %d, stderr\n%s", code, stderr.String())
	}
}
