package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// nobody is a user who owns nothing else.
const nobody = 65534

// otherEnv makes the test binary become nobody, say so, and wait for a signal.
const otherEnv = "VERIALLOC_TEST_OTHER"

func becomeNobody() {
	if err := syscall.Setuid(nobody); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(codeError)
	}
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGTERM)
	fmt.Println("waiting")
	<-received
	os.Exit(codeOK)
}

// nobodys returns a directory that is nobody's, and nobody else's to enter.
func nobodys(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nobodys")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// threads returns what the threads of a process have of capabilities and may gain, each
// combination once.
func threads(t *testing.T, pid int) []string {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(paths) == 0 {
		t.Fatalf("process %d: no threads, error %v", pid, err)
	}
	var all []string
	for _, path := range paths {
		status, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		var values []string
		for line := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(line, ":"); slices.Contains([]string{"CapPrm", "CapEff", "NoNewPrivs"}, name) {
				values = append(values, strings.TrimSpace(value))
			}
		}
		all = append(all, strings.Join(values, " "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fenced is what threads returns of a process that keeps some capabilities.
func fenced(kept kernel.Capabilities) []string {
	return []string{fmt.Sprintf("%016x %016x 1", uint64(kept), uint64(kept))}
}

// waitFenced waits until a process has given up what it does not need, and checks what it
// keeps.
func waitFenced(t *testing.T, pid int, kept kernel.Capabilities) {
	t.Helper()
	own, err := kernel.ReadCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	for {
		// All threads alike, without new privileges, and no longer with this test's.
		now := threads(t, pid)
		if len(now) == 1 && strings.HasSuffix(now[0], " 1") && !slices.Equal(now, fenced(own)) {
			if !slices.Equal(now, fenced(kept)) {
				t.Fatalf("it keeps %v, want %v", now, fenced(kept))
			}
			return
		}
		if err := syscall.Kill(pid, 0); err != nil {
			t.Fatalf("it has ended: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// A trace has few privileges once it is live: its command has all of them, its records are
// exact, and its files are whole though nobody else may enter their directory.
func TestLiveFence(t *testing.T) {
	requireLive(t)
	dir := nobodys(t)
	ready, feed, status := filepath.Join(dir, "ready"), filepath.Join(dir, "feed"), filepath.Join(t.TempDir(), "status")
	if err := errors.Join(os.WriteFile(feed, []byte("an earlier feed\n"), 0o600), os.Chown(feed, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	kept := fmt.Sprintf("%016x", uint64(kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH, unix.CAP_BPF, unix.CAP_KILL)))
	_, stderr, code := verialloc(t, "trace", "-o", "jsonl", "--ready-file", ready, "--output", feed, "--", "sh", "-c", `
		i=0
		until grep -q "^CapEff:.$3" /proc/$PPID/status; do
			i=$((i+1))
			[ $i -lt 10000 ] || exit 9
		done
		cat /proc/self/status >"$2"
		test -s "$1" && "$0" stress --branches 100 --repeat 20`, self(t), ready, status, kept)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	text, err := os.ReadFile(feed)
	if err != nil {
		t.Fatal(err)
	}
	_, verifications, summary := readFeed(t, string(text))
	if len(verifications) != 20 || summary.Exact != 20 || strings.Contains(string(text), "earlier") {
		t.Errorf("%d records, %d exact: want 20\n%s", len(verifications), summary.Exact, stderr)
	}
	own, err := kernel.ReadCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	had, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("\nCapEff:\t%016x\n", uint64(own)), "\nNoNewPrivs:\t0\n"} {
		if !strings.Contains(string(had), want) {
			t.Errorf("the command lacks %q:\n%s", want, had)
		}
	}
}

// Without a command, and with a ring buffer that does not grow, a trace keeps one capability, in each thread, and goes on: it finds the
// control group of a loader that has ended.
func TestLiveFenceWithoutCommand(t *testing.T) {
	requireLive(t)
	feed := filepath.Join(nobodys(t), "feed")
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "-o", "jsonl", "--ring-size", "8M", "--output", feed, "--count", "1", "--prog", "stress")
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFenced(t, cmd.Process.Pid, kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH))
	if _, errOut, code := runCommand(t, exec.CommandContext(t.Context(), self(t), "stress", "--branches", "100")); code != 0 {
		t.Fatal(errOut)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	text, err := os.ReadFile(feed)
	if err != nil {
		t.Fatal(err)
	}
	_, verifications, _ := readFeed(t, string(text))
	if len(verifications) != 1 || !verifications[0].Exact {
		t.Fatalf("records: %s", text)
	}
	if cgroup, ok := kernel.FindCgroup().Get(); ok && !strings.HasSuffix(cgroup.Own, strings.TrimSuffix(verifications[0].CgroupPath, "/")) || ok && verifications[0].CgroupPath == "" {
		t.Errorf("control group %q, want %+v", verifications[0].CgroupPath, cgroup)
	}
}

// Who asks for the loaders' executables gets those of processes with more privileges.
func TestLiveFenceLoader(t *testing.T) {
	requireLive(t)
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "-o", "jsonl", "--count", "1", "--loader-cmdline", "--pid", strconv.Itoa(os.Getpid()))
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFenced(t, cmd.Process.Pid, kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH, unix.CAP_BPF, unix.CAP_SYS_PTRACE))
	if _, err := load.Load(generate.Stress(10).Spec, load.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	_, verifications, _ := readFeed(t, stdout.String())
	if len(verifications) != 1 || verifications[0].Loader == nil || verifications[0].Loader.Executable != self(t) {
		t.Errorf("records: %s", stdout.String())
	}
}

// A signal that is passed on finds a command that has become another user.
func TestLiveFenceSignals(t *testing.T) {
	requireLive(t)
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "--output", filepath.Join(t.TempDir(), "feed"), "--",
		"env", "-u", mainEnv, otherEnv+"=1", self(t))
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout := bufio.NewReader(pipe)
	if line, err := stdout.ReadString('\n'); line != "waiting\n" {
		t.Fatalf("%q, %v", line, err)
	}
	waitFenced(t, cmd.Process.Pid, kernel.CapabilitiesOf(unix.CAP_DAC_READ_SEARCH, unix.CAP_BPF, unix.CAP_KILL))
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
}

// What reads recordings reads those of all users, if root runs it.
func TestLiveFenceReads(t *testing.T) {
	requireLive(t)
	rows := filepath.Join(nobodys(t), "rows.csv")
	if err := errors.Join(os.WriteFile(rows, []byte("file_name,prog_name,verdict\na,b,success\n"), 0o600), os.Chown(rows, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(nobodys(t), "output")
	if _, stderr, code := verialloc(t, "bench", "-R", rows, "-o", "csv", "--output", output); code != 0 {
		t.Fatal(stderr)
	}
	if text, err := os.ReadFile(output); err != nil || !strings.Contains(string(text), "a,b,success") {
		t.Errorf("%q, %v", text, err)
	}
}

// An output that was made for nothing is gone.
func TestLiveFenceRemoves(t *testing.T) {
	requireLive(t)
	output := filepath.Join(nobodys(t), "output")
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("no object and no recording"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"bench", broken}, {"bench", "-R", broken}, {"bench", "-C", broken, broken}} {
		_, stderr, code := verialloc(t, append(args, "--output", output)...)
		if _, err := os.Stat(output); code != codeError || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: exit code %d, the output: %v: %s", args, code, err, stderr)
		}
	}
}

// Doctor says which fence this kernel permits: Landlock is part of all that are tested.
func TestLiveDoctorFence(t *testing.T) {
	stdout, stderr, code := verialloc(t, "doctor", "-o", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var d record.Diagnosis
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatal(err)
	}
	f := d.Fence
	if f == nil || !slices.Equal(f.Capabilities, []string{"CAP_DAC_READ_SEARCH", "CAP_BPF"}) || !f.NoNewPrivileges || f.LandlockABI == 0 {
		t.Errorf("fence: %+v", f)
	}
}
