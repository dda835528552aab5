package load_test

import (
	"encoding/binary"
	"math"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/internal/loadtest"
	"github.com/verialloc/verialloc/tracer/record"
)

// countersOf returns the counters of the last of three loads, but the least time of all
// three, as a guest's clock runs on while others have the CPU.
func countersOf(t *testing.T, c generate.Case, counters *load.Counters) map[string]record.Counter {
	t.Helper()
	prepared, err := load.Prepare(c.Spec)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	var stats load.Stats
	least := record.Counter{Value: math.MaxUint64}
	for range 3 {
		if stats, err = prepared.Load(load.Options{Counters: counters}); err != nil {
			t.Fatal(err)
		}
		if clock := stats.Counters["task_clock_ns"]; clock.Value < least.Value {
			least = clock
		}
	}
	stats.Counters["task_clock_ns"] = least
	if stats.Errno != c.Errno {
		t.Fatalf("errno %v", stats.Errno)
	}
	return stats.Counters
}

func TestCounters(t *testing.T) {
	loadtest.RequireRoot(t)
	counters := load.OpenCounters(load.NoCgroup("not asked for"))
	got := countersOf(t, generate.Stress(1000), counters)
	again := countersOf(t, generate.Stress(4000), counters)
	if err := counters.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{
		"user_faults", "kernel_faults", "minor_faults", "major_faults", "task_clock_ns",
		"context_switches", "migrations", "cycles", "instructions", "memory_peak_bytes",
	} {
		c, ok := got[name]
		if !ok {
			t.Errorf("no %s", name)
		}
		if c.Absent != "" && c.Value != 0 {
			t.Errorf("%s: %+v", name, c)
		}
		t.Logf("%s: %+v, of more branches %+v", name, c, again[name])
	}
	if len(got) != 10 {
		t.Errorf("%d counters", len(got))
	}
	if c := got["memory_peak_bytes"]; c.Absent != "not asked for" {
		t.Errorf("memory_peak_bytes: %+v", c)
	}
	// Counting begins anew with each load, so more is counted of more.
	for _, name := range []string{"task_clock_ns", "instructions"} {
		if few, many := got[name], again[name]; few.Absent == "" && few.Value >= many.Value {
			t.Errorf("%s: %d, and %d of more branches", name, few.Value, many.Value)
		}
	}
	if c := got["task_clock_ns"]; c.Absent == "" && (c.Value == 0 || c.Value > uint64(time.Minute)) {
		t.Errorf("task_clock_ns: %+v", c)
	}
}

// TestLoadFaultsOfUser checks that the verifier's log is no page fault of the load:
// bpf(2) runs in the kernel, in memory that the loader has touched.
func TestLoadFaultsOfUser(t *testing.T) {
	loadtest.RequireRoot(t)
	counters := load.OpenCounters(nil)
	defer counters.Close()
	got := countersOf(t, generate.BadAccess(500), counters)
	if _, ok := got["memory_peak_bytes"]; ok {
		t.Error("memory was measured")
	}
	// Those of the function that makes the system call are all there may be.
	if c := got["user_faults"]; c.Absent == "" && c.Value > 2 {
		t.Errorf("user_faults: %+v", c)
	}
}

// TestCountersOfOthers checks that an event which the thread has besides goes on
// counting after a load.
func TestCountersOfOthers(t *testing.T) {
	loadtest.RequireRoot(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	other, err := unix.PerfEventOpen(&unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_SOFTWARE,
		Size:   uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config: unix.PERF_COUNT_SW_TASK_CLOCK,
	}, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(other)
	counters := load.OpenCounters(nil)
	defer counters.Close()
	countersOf(t, generate.Stress(10), counters)

	count := func() uint64 {
		var buf [8]byte
		if _, err := unix.Read(other, buf[:]); err != nil {
			t.Fatal(err)
		}
		return binary.NativeEndian.Uint64(buf[:])
	}
	if before, after := count(), count(); after <= before {
		t.Errorf("it stands at %d", after)
	}
}
