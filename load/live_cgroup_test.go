package load_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/internal/loadtest"
	"github.com/verialloc/verialloc/tracer/record"
)

// TestLiveCgroup measures loads where there is a control group to do it in, and goes
// back to where it came from.
func TestLiveCgroup(t *testing.T) {
	loadtest.RequireLive(t)
	before, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	memory := load.EnterCgroup()
	inside, _ := os.ReadFile("/proc/self/cgroup")
	counters := load.OpenCounters(memory)
	small, large := peakOf(t, generate.Stress(10), counters), peakOf(t, generate.Stress(4000), counters)
	long := peakOf(t, generate.Large(8000), counters)
	if err := counters.Close(); err != nil {
		t.Error(err)
	}
	if err := memory.Leave(); err != nil {
		t.Error(err)
	}
	after, _ := os.ReadFile("/proc/self/cgroup")
	if string(after) != string(before) {
		t.Errorf("in %q before and %q after", before, after)
	}
	if small.Absent != "" {
		if string(inside) != string(before) {
			t.Errorf("in %q, but %s", inside, small.Absent)
		}
		t.Logf("not measured: %s", small.Absent)
		return
	}
	if !strings.Contains(string(inside), "verialloc") {
		t.Errorf("in %q", inside)
	}
	left, err := filepath.Glob(filepath.Join(memory.Mount(), fmt.Sprintf("verialloc-%d-*", os.Getpid())))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
	t.Logf("10 branches: %d bytes, 4000: %d; 80,000 instructions: %d", small.Value, large.Value, long.Value)
	// The kernel's copy of the instructions, of eight bytes each, is charged by all
	// kernels, except for what a batch of 64 pages has covered before.
	if long.Value < 80_000*8-64*4096 || long.Value > 1<<30 {
		t.Errorf("80,000 instructions: %d bytes", long.Value)
	}
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	// Before 6.18 the verifier's states are not charged, and what is charged fits into
	// what the group has been charged for already.
	if running.AtLeast(kernel.Version{Major: 6, Minor: 18}) && (large.Value <= small.Value || large.Value < 1<<20) || large.Value > 1<<30 {
		t.Errorf("10 branches: %d bytes, 4000: %d", small.Value, large.Value)
	}
}

// peakOf is the memory_peak_bytes of the last of a few loads.
func peakOf(t *testing.T, c generate.Case, counters *load.Counters) record.Counter {
	t.Helper()
	return countersOf(t, c, counters)["memory_peak_bytes"]
}
