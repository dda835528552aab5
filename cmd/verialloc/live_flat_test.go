package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
)

// residentKiB is how much memory of a process is resident.
func residentKiB(t *testing.T, pid int) (n int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "\nVmRSS:")
	if _, err := fmt.Sscanf(text, "%d kB", &n); err != nil {
		t.Fatalf("%v in %s", err, status)
	}
	return n
}

// The memory of a trace does not grow with loads of ever other sizes.
func TestLiveFlat(t *testing.T) {
	if os.Getenv("VERIALLOC_MANY") == "" {
		t.Skip("set VERIALLOC_MANY=1 for the test that makes 20,000 loads")
	}
	requireLive(t)
	ready := filepath.Join(t.TempDir(), "ready")
	if err := unix.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "-o", "jsonl", "--output", "/dev/null", "--ready-file", ready,
		"--pid", strconv.Itoa(os.Getpid())) // what others load meanwhile may be large
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(ready); err != nil {
		t.Fatal(err)
	}
	const warm, loads, roomKiB = 2_000, 20_000, 8 << 10
	insns := make(asm.Instructions, loads, loads+1)
	for i := range insns {
		insns[i] = asm.Mov.Imm(asm.R0, 0)
	}
	insns = append(insns, asm.Return())
	var before int
	for i := range loads {
		if i == warm {
			before = residentKiB(t, cmd.Process.Pid)
		}
		// Each size once, in no order: what the sizes themselves take does not grow.
		size := 2 + i*7919%loads
		spec := &ebpf.ProgramSpec{Name: "flat", Type: ebpf.SocketFilter, License: "GPL", Instructions: insns[loads+1-size:]}
		if stats, err := load.Load(spec, load.Options{}); err != nil || stats.Errno != 0 {
			t.Fatalf("load %d: %v, errno %v", i, err, stats.Errno)
		}
	}
	after := residentKiB(t, cmd.Process.Pid)
	t.Logf("%d KiB are resident after %d loads, %d after %d", before, warm, after, loads)
	if after > before+roomKiB {
		t.Errorf("%d KiB more: want at most %d", after-before, roomKiB)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if want := fmt.Sprintf("%d loads in ", loads); !strings.Contains(stderr.String(), want) {
		t.Errorf("stderr lacks %q: %s", want, stderr.String())
	}
}
