package workload

import (
	"os"
	"testing"

	"github.com/cilium/ebpf"
)

// requireRoot skips a test that loads programs where that is not permitted.
func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("loading BPF programs needs root")
	}
}

// requireLive skips a test of the running kernel where none is asked for.
func requireLive(t *testing.T) {
	t.Helper()
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
}

// requireKernel skips a test of a program that the running kernel is too old for.
func requireKernel(t *testing.T, p Program) {
	t.Helper()
	running, err := RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	if !running.Has(p.Since) {
		t.Skipf("%s needs Linux %s, this is %s", p.Spec.Name, p.Since, running)
	}
}

// load loads the program and checks that the load ended as the program claims and
// ran into no signal.
func load(t *testing.T, p Program) Stats {
	t.Helper()
	requireRoot(t)
	requireKernel(t, p)
	stats, err := Load(p.Spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Errno != p.Errno {
		t.Fatalf("%s: errno %d (%v), want %d (%v); log:\n%s", p.Spec.Name,
			stats.Errno, stats.Errno, p.Errno, p.Errno, explain(p.Spec))
	}
	if stats.Restarts != 0 {
		t.Errorf("%s: %d restarts with signals blocked", p.Spec.Name, stats.Restarts)
	}
	return stats
}

// explain loads a program again for the end of its full log.
func explain(spec *ebpf.ProgramSpec) string {
	prepared, err := prepare(spec)
	if err != nil {
		return err.Error()
	}
	defer prepared.Close()
	stats, err := prepared.Load(Options{LogLevel: 1})
	if err != nil {
		return err.Error()
	}
	return stats.Log[max(0, len(stats.Log)-2000):]
}
