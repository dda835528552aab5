package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// timeEnv makes the test binary run its arguments in a time namespace.
const timeEnv = "VERIALLOC_TEST_TIME"

// In a time namespace, whose clocks are days off, loads have their time of day.
func TestLiveTimeNamespace(t *testing.T) {
	requireLive(t)
	start := time.Now()
	cmd := exec.CommandContext(t.Context(), self(t), self(t), "trace", "-o", "jsonl", "--", self(t), "stress", "--branches", "10")
	cmd.Env = append(os.Environ(), timeEnv+"=1")
	stdout, stderr, code := runCommand(t, cmd)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	environment, verifications, summary := readFeed(t, stdout)
	if len(verifications) != 1 || !verifications[0].Exact {
		t.Fatalf("%d records:\n%s", len(verifications), stdout)
	}
	took := time.Since(start)
	for what, unixNS := range map[string]int64{
		"environment": environment.TimeUnixNS, "verification": verifications[0].TimeUnixNS, "summary": summary.TimeUnixNS,
	} {
		if after := time.Duration(unixNS - start.UnixNano()); math.Abs(float64(after)) > float64(took+time.Second) {
			t.Errorf("%s: %v after the start of the test, which took %v", what, after, took)
		}
	}
}

// execInTimeNamespace has a shell run the arguments in a time namespace ten days ahead. It
// returns an error or not at all. The shell forks: up to 6.2 a process enters its namespace
// by that alone, and not by vfork and exec, as Go starts one (2b5f9dad32ed).
func execInTimeNamespace() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWTIME); err != nil {
		return fmt.Errorf("make a time namespace: %w", err)
	}
	const offsets = "monotonic 864000 0\nboottime 864000 0\n"
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/timens_offsets", unix.Gettid()), []byte(offsets), 0); err != nil {
		return err
	}
	os.Unsetenv(timeEnv)
	return syscall.Exec("/bin/sh", append([]string{"sh", "-c", `"$@"; exit $?`, "sh"}, os.Args[1:]...), os.Environ())
}
