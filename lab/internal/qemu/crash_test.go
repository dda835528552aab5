package qemu

import (
	"strings"
	"testing"
)

// TestCrash reads consoles as 6.1, 6.12 and 6.19 write them.
func TestCrash(t *testing.T) {
	const (
		panicked = "[   47.1] Kernel panic - not syncing: Fatal exception"
		place    = "RIP: 0010:__kmalloc_cache_noprof+0x418/0x5d0"
		possible = "RSP: 0018:ffffc900001a7b58 EFLAGS: 00010246"
	)
	for name, test := range map[string]struct {
		lines []string
		want  Crash
	}{
		"calm": {lines: []string{"[    0.0] Linux version 6.12.118", "[    0.1] x86: [#] is no count"}},
		"warning": {lines: []string{
			"[   12.3] WARNING: CPU: 0 PID: 73 at kernel/bpf/verifier.c:1 f+0x1/0x2", "[   12.3] " + place, "[   12.3] RSP: 0018:ffffc9 EFLAGS: cc084606",
		}},
		"panic": {
			lines: []string{"[    9.8] Kernel panic - not syncing: sysrq triggered crash", "[    9.8] " + place},
			want:  Crash{Text: "Kernel panic - not syncing: sysrq triggered crash"},
		},
		"page fault": {
			lines: []string{
				"[   47.0] BUG: kernel NULL pointer dereference, address: 0000000000000000",
				"[   47.0] Oops: Oops: 0002 [#1] SMP NOPTI", "[   47.0] " + place, "[   47.0] " + possible,
				"[   47.0] RIP: 0033:0x7f0000000000", panicked,
			},
			want: Crash{Text: "Oops: Oops: 0002 [#1] in __kmalloc_cache_noprof+0x418/0x5d0", Oops: true},
		},
		"with the caller": {
			lines: []string{"[   47.0][   T73] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP", panicked},
			want:  Crash{Text: "general protection fault, probably for non-canonical address 0xdead: 0000 [#1]", Oops: true},
		},
		"not panicked yet": {
			lines: []string{"[    1.0] int3: 0000 [#1] PREEMPT SMP NOPTI"},
			want:  Crash{Text: "int3: 0000 [#1]", Oops: true},
		},
		"the oops is lost": {
			lines: []string{"[    1.0] Kernel panic - not syncing: Fatal exception in interrupt"},
			want:  Crash{Text: "Kernel panic - not syncing: Fatal exception in interrupt", Oops: true},
		},
		"a bit that is always 0": {
			lines: []string{"[    1.0] Oops: 0000 [#1] PREEMPT SMP", "[    1.0] RSP: 0018:ffffc900001a7b58 EFLAGS: cc084606", panicked},
			want:  Crash{Text: "Oops: 0000 [#1]", Oops: true, Impossible: "with EFLAGS that no CPU can hold"},
		},
		"a bit that is always 1": {
			lines: []string{"[    1.0] Oops: 0000 [#1] PREEMPT SMP", "[    1.0] RSP: 0018:ffffc900001a7b58 EFLAGS: 00010244", panicked},
			want:  Crash{Text: "Oops: 0000 [#1]", Oops: true, Impossible: "with EFLAGS that no CPU can hold"},
		},
		"a breakpoint that is gone": {
			lines: []string{
				"[   76.7] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI", "[   76.7] RIP: 0010:__schedule+0x343/0xbe0",
				"[   76.7] Code: ad 48 89 45 b8 0f 85 ab 06 00 00 0f 95 c2 e9 f4 02 00 00 e9 <9a> 02 00 00 48", "[   76.7] " + possible, panicked,
			},
			want: Crash{Text: "Oops: int3: 0000 [#1] in __schedule+0x343/0xbe0", Oops: true, Impossible: "at a breakpoint that is not in memory"},
		},
		"a breakpoint of nobody": {
			lines: []string{
				"[   76.7] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI",
				"[   76.7] Code: ad 48 89 45 b8 0f 85 ab 06 00 00 0f 95 c2 e9 f4 02 00 00 cc <9a> 02 00 00 48",
				"[   76.7] RIP: 0033:0x404e2e", "[   76.7] Code: 48 89 f2 48 89 fa 48 89 ce 48 89 df 0f 05 <48> 3d 01 f0 ff ff", panicked,
			},
			want: Crash{Text: "Oops: int3: 0000 [#1]", Oops: true},
		},
	} {
		c := NewConsole()
		if _, err := c.Write([]byte(strings.Join(test.lines, "\r\n") + "\r\n")); err != nil {
			t.Fatal(err)
		}
		got, crashed := c.Crash()
		got.placed, got.trapped = false, false
		if got != test.want || crashed != (test.want.Text != "") {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, crashed, test.want)
		}
	}
}
