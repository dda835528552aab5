package tracer

import (
	"fmt"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// ownCPUs returns the CPUs that this thread may run on.
func ownCPUs(t *testing.T) []int {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	var cpus []int
	for cpu := range runtime.NumCPU() + 64 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// pin puts a thread on one CPU; 0 is the calling thread.
func pin(tid, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	return unix.SchedSetaffinity(tid, &set)
}

// The CPU time of a load is its own alone, though it shares its CPU and its duration
// does not, and though it goes from CPU to CPU, whose clocks need not agree.
func TestLiveCPUTime(t *testing.T) {
	requireLive(t)
	runtime.LockOSThread() // never unlocked: the thread stays pinned, and ends with the test
	cpus, tid := ownCPUs(t), unix.Gettid()
	last := cpus[len(cpus)-1]
	if err := pin(0, last); err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{IncludeSelf: true})
	counters := load.OpenCounters(nil)
	defer counters.Close()
	const loads = 4
	clock := map[string]uint64{} // by perf, of all of bpf(2)
	measure := func(kind string) {
		for n := range loads {
			name := fmt.Sprintf("%s_%d", kind, n)
			stats, err := load.Load(generate.Stress(1000).Spec, load.Options{Name: name, Counters: counters})
			if err != nil {
				t.Fatal(err)
			}
			clock[name] = stats.Counters[record.CounterTaskClock].Value
		}
	}
	measure("alone")
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- pin(tid, last)
				return
			default:
				if err := pin(tid, cpus[n%len(cpus)]); err != nil {
					stopped <- err
					return
				}
				runtime.Gosched()
			}
		}
	}()
	measure("moved")
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
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
	least := 1.0
	for _, kind := range []string{"alone", "moved", "beside"} {
		for n := range loads {
			name := fmt.Sprintf("%s_%d", kind, n)
			v := one(t, records, name)
			share, ok := v.OnCPU()
			if !ok {
				t.Errorf("%s: the CPU time is not known", name)
				continue
			}
			t.Logf("%s: on a CPU %.1f %% of %d us; bpf(2) %d us", name, 100*share, v.DurationNS/1000, clock[name]/1000)
			if kind == "beside" {
				least = min(least, share)
			}
			// bpf(2) has more in it than the verification, but not much. What a host takes of
			// a virtual CPU may be in the one and not in the other.
			if v.CPUTimeNS > 2*clock[name] || v.CPUTimeNS < clock[name]/2 {
				t.Errorf("%s: %d ns on a CPU; bpf(2) %d", name, v.CPUTimeNS, clock[name])
			}
		}
	}
	if least >= record.MostlyOnCPU {
		t.Errorf("on a CPU for at least %.2f of the time beside three other tasks", least)
	}
}
