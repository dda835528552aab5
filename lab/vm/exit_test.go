package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/lab/internal/guest"
	"github.com/verialloc/verialloc/lab/internal/qemu"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{commandExit(3), 3},
		{commandExit(122), 122},
		{errors.New("no such kernel"), 120},
		{fmt.Errorf("start: %w", qemu.ErrDied), 116},
		{qemu.Crash{Text: "Oops", Oops: true, Impossible: "with EFLAGS that no CPU can hold"}, 116},
		{qemu.ErrStarved, 117},
		{qemu.ErrIdle, 118},
		{qemu.Crash{Text: "Oops", Oops: true}, 119},
		{qemu.Crash{Text: "Kernel panic"}, 121},
		{fmt.Errorf("the command: %w after 8s", qemu.ErrTimeout), 122},
		{fmt.Errorf("frame 3: %w", guest.ErrLost), 123},
		{errNoExit, 123},
		{errInterrupted, 124},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	calm, panicked, oopsed := qemu.NewConsole(), qemu.NewConsole(), qemu.NewConsole()
	fmt.Fprintln(panicked, "Kernel panic - not syncing: test")
	fmt.Fprintln(oopsed, "Oops: 0002 [#1] SMP")
	zero, two, three := 0, 2, 3
	for _, test := range []struct {
		name    string
		err     error
		exit    *int
		console *qemu.Console
		want    int
	}{
		{"success", nil, &zero, calm, 0},
		{"failure", nil, &three, calm, 3},
		{"panic while powering off", nil, &zero, panicked, 0},
		{"panic", nil, nil, panicked, codePanic},
		{"panic that cut a frame off", guest.ErrLost, nil, panicked, codePanic},
		{"panic that hung", qemu.ErrTimeout, nil, panicked, codePanic},
		{"oops", nil, nil, oopsed, codeOops},
		{"oops that hung", qemu.ErrIdle, nil, oopsed, codeOops},
		{"idle", qemu.ErrIdle, nil, calm, codeIdle},
		{"idle until it got the order to quit", qemu.ErrIdle, &two, calm, codeIdle},
		{"a script that goes on after that", qemu.ErrIdle, &zero, calm, codeIdle},
		{"hang", qemu.ErrTimeout, nil, calm, codeTimeout},
		{"cut off", guest.ErrLost, nil, calm, codeLost},
		{"reboot", nil, nil, calm, codeLost},
		{"no QEMU", errors.New("missing"), nil, calm, codeSetup},
	} {
		s := session{exit: test.exit}
		if got := exitCode(s.verdict(test.err, test.console)); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// TestClosingLine checks what a script finds on the last line of stderr.
func TestClosingLine(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{qemu.Crash{Text: "Oops: 0002 [#1]", Oops: true}, "vm: Oops: 0002 [#1]\nvm: guest died: oops\n"},
		{fmt.Errorf("the command did not end: %w", qemu.ErrIdle), "vm: the command did not end: idle\nvm: guest died: idle\n"},
		{errors.New("no such kernel"), "vm: no such kernel\n"},
		{errInterrupted, "vm: interrupted\n"},
	} {
		var stderr strings.Builder
		if reportFailure(&stderr, test.err); stderr.String() != test.want {
			t.Errorf("%v: got %q, want %q", test.err, &stderr, test.want)
		}
	}
	if word := died(commandExit(codeOops)); word != "" {
		t.Errorf("a command that returned the code of an oops: got %q", word)
	}
}
