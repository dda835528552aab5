package generate

import (
	"testing"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/internal/loadtest"
)

// requireKernel skips a test of a program that the running kernel is too old for.
func requireKernel(t *testing.T, c Case) {
	t.Helper()
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	if !running.AtLeast(c.Since) {
		t.Skipf("%s needs Linux %s, this is %s", c.Spec.Name, c.Since.Series(), running)
	}
}

// loadCase loads the program and checks that the load ended as the case claims and
// ran into no signal.
func loadCase(t *testing.T, c Case) load.Stats {
	t.Helper()
	loadtest.RequireRoot(t)
	requireKernel(t, c)
	stats, err := load.Load(c.Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Errno != c.Errno {
		t.Fatalf("%s: errno %d (%v), want %d (%v); log:\n%s", c.Spec.Name,
			stats.Errno, stats.Errno, c.Errno, c.Errno, explain(c.Spec))
	}
	if stats.Restarts != 0 {
		t.Errorf("%s: %d restarts with signals blocked", c.Spec.Name, stats.Restarts)
	}
	return stats
}

// explain loads a program again for the end of its full log.
func explain(spec *ebpf.ProgramSpec) string {
	stats, err := load.Load(spec, load.Options{LogLevel: 1})
	if err != nil {
		return err.Error()
	}
	return stats.Log[max(0, len(stats.Log)-2000):]
}
