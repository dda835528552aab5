package kernel

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/verialloc/verialloc/internal/input"
)

// startOf returns when a process started, as its stat has it, in nanoseconds.
func startOf(t *testing.T, p *Processes, pid int) uint64 {
	t.Helper()
	stat, err := input.Kernel.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseStat(stat)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(s.startTicks*int64(clockTick) - int64(p.offset))
}

// A process is described, and not in place of another that had its id.
func TestInvocation(t *testing.T) {
	p, err := OpenProcesses()
	if err != nil {
		t.Skip(err) // in a container
	}
	pid, start := uint32(os.Getpid()), startOf(t, p, os.Getpid())
	got, err := p.Read(pid, start+uint64(clockTick)-1)
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.CommandLine, os.Args) || got.Cut || got.Executable != executable {
		t.Errorf("got %+v, want %q of %s", got, os.Args, executable)
	}
	for _, other := range []uint64{0, start - uint64(clockTick), start + uint64(clockTick)} {
		if got, err := p.Read(pid, other); err == nil {
			t.Errorf("one that started at %d, not %d, is %+v", other, start, got)
		}
	}
	if got, err := p.Read(1<<30, start); err == nil {
		t.Errorf("no process is %+v", got)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
		cut  bool
	}{
		{"", nil, false},
		{"\x00", nil, false},
		{"one", []string{"one"}, false},
		{"one\x00two words\x00\x00", []string{"one", "two words", ""}, false},
	} {
		if got, cut := commandLine([]byte(c.line)); !slices.Equal(got, c.want) || cut != c.cut {
			t.Errorf("%q: %q, cut %v", c.line, got, cut)
		}
	}
	got, cut := commandLine(bytes.Repeat([]byte("x"), maxCommandLine+1))
	if !cut || len(got) != 1 || len(got[0]) != maxCommandLine {
		t.Errorf("a long one: %d arguments, cut %v", len(got), cut)
	}
	if _, cut := commandLine(bytes.Repeat([]byte("x"), maxCommandLine)); cut {
		t.Error("one that has room is cut")
	}
}
