package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/verialloc/verialloc/exporter"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestTraceConfig(t *testing.T) {
	f := &fakeTracer{finite: true}
	runFake(t.Context(), f, "trace", "--pid", "7", "--comm", "bpftool", "--prog", "my_*", "--type", "XDP", "--min-time", "2ms",
		"--latency", "kprobe", "--ring-size", "64K", "--include-self").want(t, codeOK, "")
	want := tracer.Config{
		PID: 7, Comm: "bpftool", Select: tracer.Select{Prog: "my_*", Type: "xdp", MinTime: 2 * time.Millisecond},
		Latency: "kprobe", RingBytes: 64 << 10, IncludeSelf: true,
	}
	if diff := cmp.Diff(want, f.config, cmpopts.IgnoreFields(tracer.Config{}, "OnLoss", "OnEvent")); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if f.config.OnEvent != nil {
		t.Error("events are resolved though nobody asked for them")
	}
	runFake(t.Context(), f, "trace", "--", "true").want(t, codeOK, "")
	if !f.config.Follow || f.config.RingBytes != 16<<20 || f.config.Latency != "auto" {
		t.Errorf("with a command: %+v", f.config)
	}
}

func TestTraceTable(t *testing.T) {
	f := &fakeTracer{finite: true, loads: []*record.Verification{load("one", true), load("two", true)}}
	got := runFake(t.Context(), f, "trace")
	got.want(t, codeOK, "6.12.117") // the banner
	got.want(t, codeOK, "nothing lost")
	if lines := strings.Split(strings.TrimSpace(got.stdout), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "TIME") {
		t.Errorf("stdout: %s", got.stdout)
	}
}

func TestTraceJSONL(t *testing.T) {
	f := &fakeTracer{
		finite: true,
		events: []*record.Event{{Head: record.NewHead(record.KindEvent), Op: record.OpAlloc}},
		losses: []record.Loss{{Reason: record.LossRingFull, Count: 3}},
		loads:  []*record.Verification{load("one", true)},
	}
	got := runFake(t.Context(), f, "trace", "-o", "jsonl", "--events")
	got.want(t, codeOK, "WRN lost: ring_full 3")
	var kinds []string
	for line, err := range exporter.ReadJSONL(strings.NewReader(got.stdout)) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, strings.TrimPrefix(fmt.Sprintf("%T", line), "*record."))
	}
	if diff := cmp.Diff([]string{"Environment", "Event", "LossReport", "Verification", "Summary"}, kinds); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTraceEnds(t *testing.T) {
	loads := []*record.Verification{load("one", true), load("two", true), load("three", true)}
	got := runFake(t.Context(), &fakeTracer{loads: loads}, "trace", "--count", "2")
	got.want(t, codeOK, "nothing lost")
	if strings.Contains(got.stdout, "three") || !strings.Contains(got.stdout, "two") {
		t.Errorf("--count 2: %s", got.stdout)
	}
	runFake(t.Context(), &fakeTracer{}, "trace", "--duration", "1ms").want(t, codeOK, "nothing lost")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signalled{os.Interrupt})
	runFake(ctx, &fakeTracer{}, "trace").want(t, codeOK, "nothing lost")
	runFake(ctx, &fakeTracer{}, "trace", "--", "true").want(t, codeError, "the command was not started: interrupt")
}

func TestStrict(t *testing.T) {
	unverified := load("unverified", false)
	unverified.ReachedVerifier = false
	for name, c := range map[string]struct {
		load *record.Verification
		loss string
		code int
	}{
		"exact":       {load("exact", true), "", codeOK},
		"inexact":     {load("inexact", false), "", codeInexact},
		"unverified":  {unverified, "", codeOK},
		"not shown":   {load("exact", true), record.LossStarts, codeInexact},
		"other's own": {load("exact", true), record.LossRingFull, codeOK},
	} {
		f := &fakeTracer{finite: true, loads: []*record.Verification{c.load}}
		if c.loss != "" {
			f.losses = []record.Loss{{Reason: c.loss, Count: 1}}
		}
		t.Run(name, func(t *testing.T) {
			runFake(t.Context(), f, "trace", "--strict").want(t, c.code, "")
			runFake(t.Context(), f, "trace").want(t, codeOK, "")
		})
	}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		script string
		code   int
	}{
		{"exit 0", 0},
		{"exit 3", 3},
		{"exit 255", 255},
		{"kill -KILL $$", 128 + 9},
		{"kill -TERM $$", 128 + 15},
	} {
		f := &fakeTracer{loads: []*record.Verification{load("one", true)}}
		got := runFake(t.Context(), f, "trace", "--", "sh", "-c", c.script)
		got.want(t, c.code, "nothing lost")
		if strings.Contains(got.stderr, "ERR") || !f.closed {
			t.Errorf("%s: closed %t, stderr: %s", c.script, f.closed, got.stderr)
		}
	}
}

func TestCommandOutput(t *testing.T) {
	got := runFake(t.Context(), &fakeTracer{}, "trace", "--", "echo", "from the command")
	got.want(t, codeOK, "from the command")
	if strings.Contains(got.stdout, "from the command") {
		t.Errorf("in the feed: %s", got.stdout)
	}
	got = runFake(t.Context(), &fakeTracer{}, "trace", "--output", filepath.Join(t.TempDir(), "feed"), "--", "echo", "from the command")
	if got.stdout != "from the command\n" {
		t.Errorf("stdout: %q", got.stdout)
	}
}

// The end of the tracing is not the end of the command.
func TestCommandOutlivesTracing(t *testing.T) {
	f := &fakeTracer{loads: []*record.Verification{load("one", true)}}
	runFake(t.Context(), f, "trace", "--count", "1", "--", "sh", "-c", "sleep 0.1; exit 4").want(t, 4, "waiting for the command")
}

func TestSignals(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	const script = `trap "exit 7" TERM; trap "exit 8" INT; : > "$0"; while :; do sleep 0.01; done`
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if _, err := os.Stat(ready); err == nil {
				cancel(signalled{syscall.SIGTERM})
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	runFake(ctx, &fakeTracer{}, "trace", "--", "sh", "-c", script, ready).want(t, 7, "nothing lost")

	// An interrupt comes from the terminal, which has told the command.
	ctx, cancel = context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(signalled{os.Interrupt}) })
	runFake(ctx, &fakeTracer{}, "trace", "--", "sh", "-c", "sleep 0.1; exit 5").want(t, 5, "nothing lost")
}

func TestReadyFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ready")
	if err := os.WriteFile(name, []byte("stale"), 0o600); err != nil {
		t.Fatal(err)
	}
	runFake(t.Context(), &fakeTracer{openErr: tracer.ErrPermission}, "trace", "--ready-file", name).want(t, codePermission, "")
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("a trace that did not start left %v", entries)
	}
	runFake(t.Context(), &fakeTracer{}, "trace", "--ready-file", name, "--", "sh", "-c", `test "$(cat "$0")" = $PPID`, name).want(t, codeOK, "")
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
	runFake(t.Context(), &fakeTracer{}, "trace", "--ready-file", filepath.Join(dir, "none", "ready")).want(t, codeError, "--ready-file")
}

func TestOutputFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "feed")
	refused := &fakeTracer{openErr: tracer.ErrPermission}
	runFake(t.Context(), refused, "trace", "--output", name).want(t, codePermission, "")
	if _, err := os.Stat(name); err == nil {
		t.Error("a trace that did not start left its file")
	}
	const earlier = "an earlier recording, longer than what comes"
	if err := os.WriteFile(name, []byte(strings.Repeat(earlier, 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	runFake(t.Context(), refused, "trace", "--output", name).want(t, codePermission, "")
	if text, _ := os.ReadFile(name); !strings.HasPrefix(string(text), earlier) {
		t.Error("a trace that did not start emptied its file")
	}
	f := &fakeTracer{finite: true, loads: []*record.Verification{load("one", true)}}
	got := runFake(t.Context(), f, "trace", "--output", name)
	got.want(t, codeOK, "")
	text, err := os.ReadFile(name)
	if err != nil || got.stdout != "" || !strings.HasPrefix(string(text), "TIME") || strings.Contains(string(text), earlier) {
		t.Errorf("%v, stdout %q, file %q", err, got.stdout, text)
	}
	f = &fakeTracer{}
	runFake(t.Context(), f, "trace", "--output", dir).want(t, codeOutput, "--output")
	if f.opened {
		t.Error("traced without an output")
	}
}

// failingWriter fails after some writes.
type failingWriter struct {
	writes int
	err    error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.writes--; w.writes < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestOutputFails(t *testing.T) {
	full, gone := error(syscall.ENOSPC), &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
	for _, c := range []struct {
		writes int
		err    error
		args   string
		code   int
	}{
		{0, full, "trace", codeOutput},
		{1, full, "trace", codeOutput},
		{1, full, "trace -o jsonl", codeOutput},
		{2, full, "trace -o jsonl", codeOutput},
		{1, full, "trace --events", codeOutput},
		{1, full, "trace --strict -- sh -c exit_3", codeOutput},
		{0, full, "doctor", codeOutput},
		{0, full, "version", codeOutput},
		{1, gone, "trace", codeOK},
		{1, gone, "trace -o jsonl", codeOK},
		{1, gone, "trace -- sh -c exit_3", 3},
		{0, gone, "version", codeOK},
	} {
		f := &fakeTracer{
			finite:    true,
			events:    []*record.Event{{Op: record.OpAlloc}},
			loads:     []*record.Verification{load("one", true)},
			diagnosis: record.Diagnosis{OK: true},
		}
		var stderr lockedBuffer
		a := &app{stdout: &failingWriter{c.writes, c.err}, stderr: &stderr, open: f.open, diagnose: f.diagnose}
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		code := a.run(t.Context(), args)
		if code != c.code || strings.Contains(stderr.String(), "ERR") != errors.Is(c.err, full) {
			t.Errorf("%s, %v after %d writes: exit code %d, want %d\n%s", c.args, c.err, c.writes, code, c.code, stderr.String())
		}
	}
}
