package tracer

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// elsewhereEnv is set in a process that another PID namespace has.
const elsewhereEnv = "VERIALLOC_TEST_ELSEWHERE"

// What is not to be had of loaders is a lack, where it is asked for.
func TestLivePlaces(t *testing.T) {
	requireLive(t)
	elsewhere := os.Getenv(elsewhereEnv) != ""
	for _, asked := range []bool{false, true} {
		p, lacks := openPlaces(asked)
		lacking := func(name string) bool {
			return slices.ContainsFunc(lacks, func(l record.Lack) bool { return l.Name == name && l.Why != "" })
		}
		if got, want := lacking(record.LackLoaders), asked && elsewhere; got != want || (p.processes == nil) == (asked && !elsewhere) {
			t.Errorf("asked for %v, in another namespace %v: lacking %v", asked, elsewhere, lacks)
		}
		if (p.cgroups == nil) != lacking(record.LackCgroups) {
			t.Errorf("there are groups: %v; lacking %v", p.cgroups != nil, lacks)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if elsewhere {
		return
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestLivePlaces$")
	cmd.Env = append(os.Environ(), elsewhereEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("in another PID namespace: %v\n%s", err, out)
	}
}
