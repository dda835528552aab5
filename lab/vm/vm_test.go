package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	if code != 3 || stdout != want || !regexp.MustCompile(`^vm: QEMU [\d.]+ \(.+\)\nerr\n$`).MatchString(stderr) {
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
	if code != 0 || len(stdout) != size || !strings.Contains(stderr, "\n"+sum) {
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
		// No kernel of Debian's oopses on request: what it prints is made up, and what
		// it does then is asked of it.
		{
			"oops", `test $(cat /proc/sys/kernel/panic_on_oops) = 1 || exit
			echo '<0>Oops: 0002 [#1] SMP' > /dev/kmsg; echo c > /proc/sysrq-trigger`, nil, codeOops, "vm: Oops: 0002 [#1]",
		},
		{"idle", "sleep 1000", []string{"--idle", "5s"}, codeIdle, "vm: the command did not end: idle"},
		{"hang", "while :; do :; done", []string{"--timeout", "20s"}, codeTimeout, "vm: the command did not end: timed out"},
		{"reboot", "reboot -f", nil, codeLost, "vm: the guest ended without"},
		{"other bytes on the line", "echo noise > /dev/ttyS1; echo", nil, codeLost, "output was lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := boot(t, test.script, test.flags...)
			if test.code == codeTimeout && code == codeStarved {
				t.Skip("the host is too busy to let the guest take its time")
			}
			if code != test.code || !strings.Contains(stderr, test.message) {
				t.Errorf("got code %d, want %d; stderr %s", code, test.code, stderr)
			}
			if !strings.HasSuffix(stderr, "\nvm: guest died: "+words[test.code]+"\n") {
				t.Errorf("the last line does not name the death: stderr %s", stderr)
			}
			if lines := strings.Count(stderr, "\n"); lines < 20 {
				t.Errorf("got %d lines on stderr: the console's last are missing", lines)
			}
		})
	}
}

// waitVariable makes [TestVMWaits] wait for ever.
const waitVariable = "VERIALLOC_VM_WAIT"

// TestVMWaits is the test that [TestVMGoroutinesOfATest] runs in a guest.
func TestVMWaits(t *testing.T) {
	if os.Getenv(waitVariable) == "" {
		t.Skip("a part of another test")
	}
	r, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	waitForEver(r)
}

func waitForEver(r *os.File) { _, _ = r.Read(make([]byte, 1)) }

// TestVMGoroutinesOfATest checks that a test that waits for ever shows where, as a
// child of the command, too.
func TestVMGoroutinesOfATest(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := boot(t, "cd /; "+binary+" -test.run TestVMWaits -test.timeout 1h; echo", "--idle", "5s",
		"--env", waitVariable+"=1", "--file", binary+":"+binary)
	if code != codeIdle || !strings.Contains(stderr, "waitForEver(") {
		t.Errorf("got code %d, want %d; stderr %s", code, codeIdle, stderr)
	}
}

// TestVMTwoCPUs checks that a guest with two CPUs uses both, or is refused.
func TestVMTwoCPUs(t *testing.T) {
	code, stdout, stderr := boot(t, "nproc", "--smp", "2", "--append", "preempt=full")
	refused := code == codeSetup && strings.Contains(stderr, "QEMU 11 or newer")
	if !refused && (code != 0 || stdout != "2\n") {
		t.Errorf("got code %d, stdout %q, stderr %s", code, stdout, stderr)
	}
	for _, which := range []string{qemuArchive, qemuMachine} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"qemu", "--qemu", which}, &out, &errs); code == 0 {
			t.Logf("%s: %s", which, &out)
		} else {
			t.Logf("%s: %s", which, &errs)
		}
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
