package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
)

// familyEnv makes the test binary behave as verialloc on a fake tracer.
const familyEnv = "VERIALLOC_TEST_FAMILY"

func runWithFamily() int {
	f := &fakeTracer{}
	a := &app{stdout: os.Stdout, stderr: os.Stderr, open: f.open, diagnose: f.diagnose, foster: foster}
	return a.run(untilSignal(), os.Args[1:])
}

// familyRun is a trace of a script in a process of its own.
type familyRun struct {
	*exec.Cmd
	t      *testing.T
	stderr lockedBuffer
}

func startFamily(t *testing.T, args ...string) *familyRun {
	t.Helper()
	r := &familyRun{Cmd: exec.CommandContext(t.Context(), self(t), append([]string{"trace"}, args...)...), t: t}
	r.Env = append(r.Environ(), familyEnv+"=1")
	r.Stderr = &r.stderr
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// end waits for verialloc and whatever has its standard error open.
func (r *familyRun) end() outcome {
	_ = r.Wait() // its state says it
	return outcome{code: r.ProcessState.ExitCode(), stderr: r.stderr.String()}
}

// daemon is a script that ends with 3 and leaves a process behind, which ends once
// something opens the FIFO $0.
const daemon = `(sh -c ': <"$0"' "$0" >/dev/null 2>&1 &) ; exit 3`

func fifo(t *testing.T) (name string, open func()) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, func() {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// What COMMAND leaves running is told, with what to do about it.
func TestDaemon(t *testing.T) {
	name, open := fifo(t)
	r := startFamily(t, "--", "sh", "-c", daemon, name)
	got := r.end()
	got.want(t, 3, "left running: 1 descendant (")
	got.want(t, 3, "--duration TIME keeps the tracing open")
	open()

	r = startFamily(t, "--", "sh", "-c", "true & wait; exit 3")
	got = r.end()
	if got.want(t, 3, "nothing lost"); strings.Contains(got.stderr, "left running") {
		t.Errorf("nothing is left, but: %s", got.stderr)
	}
}

// With --duration the tracing goes on until the last descendant has ended.
func TestDaemonWithDuration(t *testing.T) {
	name, open := fifo(t)
	r := startFamily(t, "--duration", "10h", "--", "sh", "-c", daemon, name)
	once(func() bool { return strings.Contains(r.stderr.String(), "the tracing goes on") }, open)
	got := r.end()
	if got.want(t, 3, "left running: 1 descendant ("); strings.Contains(got.stderr, "still run") {
		t.Errorf("nothing is left, but: %s", got.stderr)
	}
}

// A signal ends a tracing that goes on after COMMAND, and what is left is told.
func TestDaemonWithSignal(t *testing.T) {
	name, open := fifo(t)
	r := startFamily(t, "--duration", "10h", "--", "sh", "-c", daemon, name)
	once(func() bool { return strings.Contains(r.stderr.String(), "the tracing goes on") }, func() {
		_ = r.Process.Signal(syscall.SIGTERM)
	})
	r.end().want(t, 3, "the tracing ends, and of COMMAND there still run: 1 descendant (")
	open()
}

// Orphans do not stay as zombies while COMMAND runs: in the end it is the only child.
func TestOrphansAreReaped(t *testing.T) {
	r := startFamily(t, "--", "sh", "-c", `i=0
while [ $i -lt 20 ]; do
	i=$((i+1))
	(true &)
done
until [ "$(cat /proc/[0-9]*/status 2>/dev/null | grep -c "^PPid:[[:space:]]*$PPID\$")" = 1 ]; do sleep 0.01; done
exit 3`)
	r.end().want(t, 3, "nothing lost")
}

func TestProcessesText(t *testing.T) {
	processes := []kernel.Process{{PID: 1, Name: "a"}, {PID: 2}, {PID: 3, Name: "c"}, {PID: 4, Name: "d"}, {PID: 5, Name: "e"}, {PID: 6, Name: "f"}, {PID: 7, Name: "g"}}
	for n, want := range map[int]string{
		0: "", 1: "1 descendant (a 1)", 5: "5 descendants (a 1, nameless 2, c 3, d 4, e 5)",
		7: "7 descendants (a 1, nameless 2, c 3, d 4, e 5, 2 more)",
	} {
		if got := processesText(processes[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
