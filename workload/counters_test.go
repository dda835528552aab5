package workload

import (
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// peakOf is the memory_peak_bytes of the last of a few loads.
func peakOf(t *testing.T, p Program, counters *Counters) record.Counter {
	t.Helper()
	return countersOf(t, p, counters)["memory_peak_bytes"]
}

// countersOf returns the counters of the last of three loads, but the least time of all
// three, as a guest's clock runs on while others have the CPU.
func countersOf(t *testing.T, p Program, counters *Counters) map[string]record.Counter {
	t.Helper()
	prepared, err := prepare(p.Spec)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	var stats Stats
	least := record.Counter{Value: math.MaxUint64}
	for range 3 {
		if stats, err = prepared.Load(Options{Counters: counters}); err != nil {
			t.Fatal(err)
		}
		if c := stats.Counters["task_clock_ns"]; c.Value < least.Value {
			least = c
		}
	}
	stats.Counters["task_clock_ns"] = least
	if stats.Errno != p.Errno {
		t.Fatalf("errno %v", stats.Errno)
	}
	return stats.Counters
}

func TestCounters(t *testing.T) {
	requireRoot(t)
	counters := OpenCounters(NoCgroup("not asked for"))
	got := countersOf(t, Stress(1000), counters)
	again := countersOf(t, Stress(4000), counters)
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
	requireRoot(t)
	counters := OpenCounters(nil)
	defer counters.Close()
	got := countersOf(t, BadAccess(500), counters)
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
	requireRoot(t)
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
	counters := OpenCounters(nil)
	defer counters.Close()
	countersOf(t, Stress(10), counters)

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

// TestCounterMultiplexed checks that a load during which an event did not always count
// leaves the next one its count.
func TestCounterMultiplexed(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	e := openEvent{name: "cycles", fd: int(read.Fd())}
	for n, times := range [][2]uint64{{10, 10}, {20, 15}, {30, 25}} { // enabled and running
		var buf []byte
		for _, word := range []uint64{7, times[0], times[1]} {
			buf = binary.NativeEndian.AppendUint64(buf, word)
		}
		if _, err := write.Write(buf); err != nil {
			t.Fatal(err)
		}
		c, err := e.read()
		if err != nil || (c.Absent != "") != (n == 1) || c.Absent == "" && c.Value != 7 {
			t.Errorf("load %d: %+v, error %v", n, c, err)
		}
	}
}
