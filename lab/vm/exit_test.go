package main

import (
	"errors"
	"fmt"
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
		{panicError("Kernel panic"), 121},
		{fmt.Errorf("the command: %w after 8s", errTimeout), 122},
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
	calm, panicked := qemu.NewConsole(), qemu.NewConsole()
	fmt.Fprintln(panicked, "Kernel panic - not syncing: test")
	zero, three := 0, 3
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
		{"panic that hung", errTimeout, nil, panicked, codePanic},
		{"hang", errTimeout, nil, calm, codeTimeout},
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
