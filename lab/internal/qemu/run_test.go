package qemu

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// runScript runs a shell script in place of QEMU and returns what came on the two
// lines.
func runScript(ctx context.Context, t *testing.T, limits Limits, script string) (console, results string, err error) {
	t.Helper()
	initrd, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer initrd.Close()
	m := Machine{
		Emulator: Emulator{command: []string{"/bin/sh", "-c", script}},
		Initrd:   initrd, CPUs: 1, Limits: limits, Quit: 'Q',
	}
	var log strings.Builder
	var got []byte
	err = m.Run(ctx, &log, func(r io.Reader) error {
		var err error
		got, err = io.ReadAll(r)
		return err
	})
	return log.String(), string(got), err
}

func TestRun(t *testing.T) {
	console, results, err := runScript(t.Context(), t, Limits{}, "echo kernel >&3; echo result")
	if err != nil || console != "kernel\n" || results != "result\n" {
		t.Errorf("got console %q, results %q, %v", console, results, err)
	}
	for name, test := range map[string]struct {
		script string
		died   bool
	}{
		"crashes":          {"kill -SEGV $$", true},
		"refuses its args": {"echo no such machine >&2; exit 1", false},
	} {
		_, _, err := runScript(t.Context(), t, Limits{}, test.script)
		if err == nil || errors.Is(err, ErrDied) != test.died {
			t.Errorf("%s: got %v, want one that died: %v", name, err, test.died)
		}
	}
	canceled, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, _, err := runScript(canceled, t, Limits{}, "exec sleep 1000"); err == nil {
		t.Error("canceled: got no error")
	}
}

// TestRunTellsToQuit has a guest that only waits: it gets an order to quit, and Run passes
// on what it prints then.
func TestRunTellsToQuit(t *testing.T) {
	const quitter = "head -c 1; echo ' and gone'"
	for want, limits := range map[error]Limits{
		ErrIdle:    {Idle: time.Second},
		ErrTimeout: {Timeout: time.Second},
	} {
		_, results, err := runScript(t.Context(), t, limits, quitter)
		if !errors.Is(err, want) || results != "Q and gone\n" {
			t.Errorf("%v: got results %q, %v", want, results, err)
		}
	}
}
