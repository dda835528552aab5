package tracer

import (
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// threadCPU returns the CPU time of the calling thread in nanoseconds, as the scheduler sums it.
func threadCPU(t *testing.T) uint64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return uint64(now.Nano())
}

// The CPU time of a load that shares its CPU is its own alone, though its duration is not.
func TestLiveCPUTime(t *testing.T) {
	requireLive(t)
	runtime.LockOSThread() // never unlocked: the thread stays pinned, and ends with the test
	var own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	last := 0
	for cpu := range runtime.NumCPU() {
		if own.IsSet(cpu) {
			last = cpu
		}
	}
	own.Zero()
	own.Set(last)
	if err := unix.SchedSetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{IncludeSelf: true})
	const loads = 4
	counters := load.OpenCounters(nil)
	defer counters.Close()
	// By the scheduler's clock with all that a load needs in user space, and by the clock of
	// perf, which is another one, in bpf(2) alone.
	var most, clock []uint64
	measure := func(name string) {
		for range loads {
			before := threadCPU(t)
			stats, err := load.Load(generate.Stress(1000).Spec, load.Options{Name: name, Counters: counters})
			if err != nil {
				t.Fatal(err)
			}
			most = append(most, threadCPU(t)-before)
			clock = append(clock, stats.Counters[record.CounterTaskClock].Value)
		}
	}
	measure("alone")
	for range 3 {
		hog := exec.Command("sh", "-c", "while :; do :; done") // on the same CPU
		if err := hog.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = hog.Process.Kill()
			_ = hog.Wait()
		})
	}
	measure("beside")
	records := s.finish()
	alone, beside := named(records, "alone"), named(records, "beside")
	if len(alone) != loads || len(beside) != loads {
		t.Fatalf("%d and %d records", len(alone), len(beside))
	}
	least := 1.0
	for i, v := range append(alone, beside...) {
		share, ok := v.OnCPU()
		if !ok {
			t.Errorf("%s: the CPU time is not known", v.ProgName)
			continue
		}
		t.Logf("%s: on a CPU %.1f %% of %d us; thread %d us, bpf(2) %d us", v.ProgName, 100*share, v.DurationNS/1000, most[i]/1000, clock[i]/1000)
		if i >= loads {
			least = min(least, share)
		}
		// bpf(2) has more in it than the verification, but not much.
		if v.CPUTimeNS > most[i] || v.CPUTimeNS < clock[i]/2 {
			t.Errorf("%s: %d ns on a CPU; the thread %d, bpf(2) %d", v.ProgName, v.CPUTimeNS, most[i], clock[i])
		}
	}
	if least >= record.MostlyOnCPU {
		t.Errorf("on a CPU for at least %.2f of the time beside three other tasks", least)
	}
}
