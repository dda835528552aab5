package qemu

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	var log bytes.Buffer
	c := NewConsole(&log)
	for i := range 2 * tailLines {
		fmt.Fprintf(c, "line %d\r\n", i)
	}
	// A line may arrive in any pieces.
	for _, piece := range []string{"[ 1.0] Kernel pa", "nic - not sync", "ing: test\r", "\n---[ end"} {
		fmt.Fprint(c, piece)
	}
	if got, crashed := c.Crash(); !crashed || got != (Crash{Text: "Kernel panic - not syncing: test"}) {
		t.Errorf("got crash %+v, %v", got, crashed)
	}
	tail := c.Tail()
	if len(tail) != tailLines+1 || tail[tailLines] != "---[ end" || tail[0] != fmt.Sprintf("line %d", tailLines+1) {
		t.Errorf("got %d lines, from %q to %q", len(tail), tail[0], tail[len(tail)-1])
	}
	if strings.Contains(log.String(), "\r") || !strings.HasPrefix(log.String(), "line 0\nline 1\n") {
		t.Errorf("the log is not the console's text: %q", log.String())
	}
}

func TestArgs(t *testing.T) {
	m := Machine{Kernel: "/k", CPUs: 2, MemoryMB: 512, Append: "preempt=full"}
	for icount, want := range map[bool][]string{
		false: {"-smp 2", "-m 512", "-cpu max,-erms,-fsrm ", "-append console=ttyS0 oops=panic panic=-1 no_timer_check preempt=full", "-accel tcg"},
		true:  {"-cpu max,-erms,-fsrm", "tsc=reliable", "-icount shift=0,sleep=off"},
	} {
		m.ICount = icount
		line := strings.Join(m.args(), " ")
		for _, part := range want {
			if !strings.Contains(line, part) {
				t.Errorf("icount %v: no %q in %s", icount, part, line)
			}
		}
	}
	for version, want := range map[string]string{"7.2.22": "-cpu max,-erms,-fsrm ", "11.1.3": "-cpu max,-erms,-fsrm,-fsrs "} {
		m.Emulator.Version = version
		if line := strings.Join(m.args(), " "); !strings.Contains(line, want) {
			t.Errorf("%s: no %q in %s", version, want, line)
		}
	}
}
