package kernel

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCapabilities(t *testing.T) {
	of := CapabilitiesOf
	for _, tt := range []struct {
		name        string
		c           Capabilities
		load, trace bool
		lacking     string
	}{
		{"none", of(), false, false, "CAP_PERFMON CAP_BPF"},
		{"all", ^Capabilities(0), true, true, ""},
		{"CAP_BPF", of(unix.CAP_BPF), true, false, "CAP_PERFMON"},
		{"CAP_PERFMON", of(unix.CAP_PERFMON), false, false, "CAP_BPF"},
		{"both", of(unix.CAP_BPF, unix.CAP_PERFMON), true, true, ""},
		{"CAP_SYS_ADMIN", of(unix.CAP_SYS_ADMIN), true, true, ""},
		{"others", of(unix.CAP_SYS_PTRACE, unix.CAP_NET_ADMIN, unix.CAP_SYSLOG), false, false, "CAP_PERFMON CAP_BPF"},
	} {
		if load, trace := tt.c.MayLoad(), tt.c.MayTrace(); load != tt.load || trace != tt.trace {
			t.Errorf("%s: load %v, trace %v", tt.name, load, trace)
		}
		if lacking := strings.Join(tt.c.LackingToTrace().Names(), " "); lacking != tt.lacking {
			t.Errorf("%s: lacking %q, want %q", tt.name, lacking, tt.lacking)
		}
	}
}

// Both halves are where /proc has them.
func TestReadCapabilities(t *testing.T) {
	c, err := ReadCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("CapEff:\t%016x\n", uint64(c)); !strings.Contains(string(status), want) {
		t.Errorf("%q is not in\n%s", want, status)
	}
}
