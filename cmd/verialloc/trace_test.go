package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/stream"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

func TestTraceConfig(t *testing.T) {
	f := &fakeTracer{finite: true}
	runFake(t.Context(), f, "trace", "--pid", strconv.Itoa(os.Getpid()), "--comm", "bpftool", "--prog", "my_*", "--type", "XDP", "--min-time", "2ms",
		"--latency", "kprobe", "--ring-size", "64K", "--include-self").want(t, codeOK, "")
	want := tracer.Config{
		PID: os.Getpid(), Comm: "bpftool", Select: tracer.Select{Prog: "my_*", Type: "xdp", MinTime: 2 * time.Millisecond},
		Latency: "kprobe", RingBytes: 64 << 10, IncludeSelf: true, HighPriority: true,
	}
	if f.config.Live == nil {
		t.Error("nothing is to be called once the tracer is live")
	}
	f.config.Live = nil
	if diff := cmp.Diff(want, f.config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	runFake(t.Context(), f, "trace", "--", "true").want(t, codeOK, "")
	if !f.config.Follow || f.config.RingBytes != 0 || f.config.Latency != "auto" {
		t.Errorf("with a command: %+v", f.config)
	}
}

// What a glob can match is said ahead of the tracing, and at its end that it matched nothing.
func TestTraceProg(t *testing.T) {
	f := &fakeTracer{finite: true}
	for _, glob := range []string{"not/a name of any", strings.Repeat("x", 513)} {
		runFake(t.Context(), f, "trace", "--prog", glob).want(t, codeUsage, "no program can have such a name: names consist of")
	}
	if f.opened {
		t.Error("the tracing began")
	}
	runFake(t.Context(), f, "trace", "--prog", "my-prog").want(t, codeOK, "it can match only loads that the kernel refuses")
	f.summary = record.Summary{NotSelected: 7, NotSelectedNames: []string{"tail_nodeport_nat_egress_ipv4", "evil\x1b"}}
	runFake(t.Context(), f, "trace", "--prog", "tail_nodeport").want(t, codeOK,
		`--prog "tail_nodeport": nothing that was asked for is among 7 loads seen, such as tail_nodeport_nat_egress_ipv4, evil\x1b`)
	if got := runFake(t.Context(), f, "trace", "--type", "xdp"); strings.Contains(got.stderr, "--prog") {
		t.Errorf("without --prog: %s", got.stderr)
	}
	f.summary.Verifications = 1
	if got := runFake(t.Context(), f, "trace", "--prog", "tail*"); strings.Contains(got.stderr, "nothing that") {
		t.Errorf("where it matched: %s", got.stderr)
	}
}

func TestTraceTable(t *testing.T) {
	f := &fakeTracer{finite: true, loads: []*record.Verification{verification("one", true), verification("two", true)}}
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
		loads:  []*record.Verification{verification("one", true)},
	}
	got := runFake(t.Context(), f, "trace", "-o", "jsonl", "--events")
	got.want(t, codeOK, "WRN lost: ring_full 3")
	var kinds []string
	for line, err := range recording.ReadJSONL(strings.NewReader(got.stdout)) {
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
	loads := []*record.Verification{verification("one", true), verification("two", true), verification("three", true)}
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
	unverified := verification("unverified", false)
	unverified.ReachedVerifier = false
	for name, c := range map[string]struct {
		load *record.Verification
		loss string
		code int
	}{
		"exact":       {verification("exact", true), "", codeOK},
		"inexact":     {verification("inexact", false), "", codeInexact},
		"unverified":  {unverified, "", codeOK},
		"not shown":   {verification("exact", true), record.LossStarts, codeInexact},
		"other's own": {verification("exact", true), record.LossRingFull, codeOK},
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

// Where loads cannot be seen, nobody can say that all were.
func TestStrictUnseen(t *testing.T) {
	f := &fakeTracer{finite: true, loads: []*record.Verification{verification("exact", true)}, unseen: []record.LoadClass{record.LoadsOfKernel}}
	got := runFake(t.Context(), f, "trace", "--strict", "--", "touch", filepath.Join(t.TempDir(), "file"))
	got.want(t, codeUnsupported, "--strict: not supported by this kernel: kernel 6.12.117: 1 class of loads is not seen here: those that the kernel makes itself")
	if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("stdout: %s\nstderr: %s", got.stdout, got.stderr)
	}
	got = runFake(t.Context(), f, "trace")
	if got.want(t, codeOK, "1 class of loads is not seen here"); strings.Contains(got.stderr, "nothing lost") {
		t.Errorf("stderr: %s", got.stderr)
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
		f := &fakeTracer{loads: []*record.Verification{verification("one", true)}}
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
	f := &fakeTracer{loads: []*record.Verification{verification("one", true)}}
	runFake(t.Context(), f, "trace", "--count", "1", "--", "sh", "-c", "sleep 1; exit 4").want(t, 4, "waiting for the command")
}

func TestSignals(t *testing.T) {
	const script = `trap "exit 7" TERM; trap "exit 8" INT; : > "$0"; while :; do sleep 0.01; done`
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, cancel := context.WithCancelCause(t.Context())
	onceThere(ready, func() { cancel(signalled{syscall.SIGTERM}) })
	runFake(ctx, &fakeTracer{}, "trace", "--", "sh", "-c", script, ready).want(t, 7, "nothing lost")
}

// An interrupt comes from the terminal, which has sent it to the command too.
func TestInterruptFromTerminal(t *testing.T) {
	const waiting = "interrupt: waiting for COMMAND"
	const script = `: > "$0/ready"; until test -e "$0/end"; do sleep 0.01; done; exit 5`
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	var stdout, stderr lockedBuffer
	onceThere(filepath.Join(dir, "ready"), func() { cancel(signalled{os.Interrupt}) })
	start := time.Now()
	once(func() bool { return strings.Contains(stderr.String(), waiting) || time.Since(start) > time.Minute }, func() {
		_ = os.WriteFile(filepath.Join(dir, "end"), nil, 0o600)
	})
	f := &fakeTracer{}
	code := (&app{stdout: &stdout, stderr: &stderr, open: f.open, diagnose: f.diagnose}).run(ctx, []string{"trace", "--", "sh", "-c", script, dir})
	got := outcome{code, stdout.String(), stderr.String()}
	got.want(t, 5, "nothing lost")
	got.want(t, 5, waiting)
}

// A command that ends by the signal soon is not said to be waited for.
func TestTellWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for lasts, said := range map[time.Duration]bool{waitingAfter / 2: false, 2 * waitingAfter: true} {
			var stderr lockedBuffer
			s := &session{app: &app{say: stream.NewBounded(&stderr, 0)}}
			ctx, cancel := context.WithCancelCause(t.Context())
			off := s.logWaiting(ctx)
			cancel(signalled{os.Interrupt})
			time.Sleep(lasts)
			off()
			time.Sleep(time.Minute)
			if strings.Contains(stderr.String(), "interrupt: waiting for COMMAND") != said {
				t.Errorf("a command that ends after %v: stderr: %s", lasts, stderr.String())
			}
		}
	})
}

// once waits beside the caller until something is so, and then calls do.
func once(isSo func() bool, do func()) {
	go func() {
		for !isSo() {
			time.Sleep(time.Millisecond)
		}
		do()
	}()
}

// onceThere waits for a file beside the caller, and then calls do.
func onceThere(file string, do func()) {
	once(func() bool { _, err := os.Stat(file); return err == nil }, do)
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
	missing := filepath.Join(dir, "none", "ready")
	runFake(t.Context(), &fakeTracer{}, "trace", "--ready-file", missing).want(t, codeError, "--ready-file "+missing+": no such file")
}

// Whatever is no regular file stays what it is.
func TestReadyFileKinds(t *testing.T) {
	pid := strconv.Itoa(os.Getpid()) + "\n"
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	ready := func(name string, args ...string) outcome {
		f := &fakeTracer{finite: true}
		return runFake(t.Context(), f, append([]string{"trace", "--ready-file", name}, args...)...)
	}
	kind := func(name string, want os.FileMode) {
		t.Helper()
		if info, err := os.Lstat(name); err != nil || info.Mode().Type() != want {
			t.Errorf("%s is %v, %v: want %v", name, info, err, want)
		}
	}

	ready(dir).want(t, codeUsage, "--ready-file "+dir+": want a regular file")
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	ready(in("socket")).want(t, codeUsage, "want a regular file")
	kind(in("socket"), os.ModeSocket)

	if err := syscall.Mkfifo(in("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	ready(in("fifo")).want(t, codeOK, "") // nobody reads
	kind(in("fifo"), os.ModeNamedPipe)
	reader, err := os.OpenFile(in("fifo"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ready(in("fifo"), "--output", in("feed")).want(t, codeOK, "")
	got, err := io.ReadAll(reader)
	if err = errors.Join(err, reader.Close()); err != nil || string(got) != pid {
		t.Errorf("read %q from the FIFO, %v", got, err)
	}
	for _, late := range []string{`read pid <"$0" && test $pid = $PPID`, `test $(cat "$0") = $PPID`} {
		runFake(t.Context(), &fakeTracer{}, "trace", "--ready-file", in("fifo"), "--", "sh", "-c", late, in("fifo")).want(t, codeOK, "")
	}
	kind(in("fifo"), os.ModeNamedPipe)

	for _, link := range []struct{ name, target string }{
		{"to-file", "file"}, {"to-missing", "missing"}, {"to-link", "to-missing"}, {"to-absolute", in("absolute")},
	} {
		if err := os.Symlink(link.target, in(link.name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("file"), []byte("stale"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, file := range map[string]string{"to-file": "file", "to-link": "missing", "to-absolute": "absolute"} {
		ready(in(link)).want(t, codeOK, "")
		kind(in(link), os.ModeSymlink)
		kind(in(file), 0)
		if text, err := os.ReadFile(in(file)); err != nil || string(text) != pid {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	if err := os.Symlink("loop", in("loop")); err != nil {
		t.Fatal(err)
	}
	ready(in("loop")).want(t, codeError, "--ready-file "+in("loop")+": too many levels")
}

// Through another user's link nothing is written and nothing removed.
func TestOthersLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to give a link to another user takes root")
	}
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	err := errors.Join(os.WriteFile(victim, []byte("victim's"), 0o600), os.Symlink("victim", link), os.Lchown(link, 65534, 65534))
	if err != nil {
		t.Fatal(err)
	}
	for flag, code := range map[string]int{"--ready-file": codeUsage, "--output": codeOutput} {
		f := &fakeTracer{finite: true}
		runFake(t.Context(), f, "trace", flag, link).want(t, code, flag+" "+link+`: the link "link" belongs to user 65534`)
		if text, err := os.ReadFile(victim); err != nil || string(text) != "victim's" || f.opened {
			t.Errorf("%s: traced %v, the victim is %q, %v", flag, f.opened, text, err)
		}
	}
}

func TestReadyFileIsNotTheFeed(t *testing.T) {
	dir := t.TempDir()
	feed, link := filepath.Join(dir, "feed"), filepath.Join(dir, "link")
	if err := os.Symlink("feed", link); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, name := range []string{feed, link} {
			f := &fakeTracer{}
			runFake(t.Context(), f, "trace", "--output", feed, "--ready-file", name).want(t, codeUsage, "the feed goes there")
			if f.opened {
				t.Error("traced")
			}
		}
		// A feed of an earlier run stays.
		if err := os.WriteFile(feed, []byte("earlier"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := os.ReadFile(feed); string(text) != "earlier" {
		t.Errorf("the feed is now %q", text)
	}
}

// A ring buffer that grew is told, whether something was lost or not.
func TestRingGrew(t *testing.T) {
	f := &fakeTracer{finite: true, summary: record.Summary{RingBytes: 32 << 20}}
	runFake(t.Context(), f, "trace").want(t, codeOK, "INF the ring buffer grew from 8M to 32M")
	f.summary.RingBytes = tracer.DefaultRingBytes
	if got := runFake(t.Context(), f, "trace"); strings.Contains(got.stderr, "grew") {
		t.Errorf("it did not: %s", got.stderr)
	}
}

// However many reports there are, people get the first and the last of a second.
func TestLossWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTracer{finite: true, lossTimes: 99, losses: []record.Loss{{Reason: record.LossRingFull, Count: 3}}}
		got := runFake(t.Context(), f, "trace", "-o", "jsonl")
		got.want(t, codeOK, "WRN lost: ring_full 3: try --ring-size 64M")
		if n := strings.Count(got.stderr, "WRN"); n != 2 {
			t.Errorf("%d warnings, want 2:\n%s", n, got.stderr)
		}
		if n := strings.Count(got.stdout, `"kind":"loss"`); n != 100 {
			t.Errorf("%d losses in the feed, want all 100", n)
		}
		runFake(t.Context(), f, "trace", "--ring-size", "1G").want(t, codeOK, "ring_full 3: trace less at once")
		f.losses[0].Reason = record.LossLoadsFull
		got = runFake(t.Context(), f, "trace")
		if strings.Contains(got.stderr, "--ring-size") {
			t.Errorf("a larger ring is no help: %s", got.stderr)
		}
	})
}

func TestLatencyNotServed(t *testing.T) {
	for mode, code := range map[string]int{"fentry": codeUnsupported, "kprobe": codeUnsupported, "auto": codeOK, "off": codeOK} {
		f := &fakeTracer{finite: true, latency: "none", lacks: []record.Lack{
			{Kind: record.HookVmalloc, Name: "vmalloc", Why: "no"},
			{Kind: record.HookLatency, Name: record.LackLatency, Why: "5 of 5 are refused"},
		}}
		name := filepath.Join(t.TempDir(), "feed")
		got := runFake(t.Context(), f, "trace", "--latency", mode, "--output", name)
		got.want(t, code, "")
		if _, err := os.Stat(name); (err == nil) != (code == codeOK) || !f.closed {
			t.Errorf("%s: closed %t, output %v", mode, f.closed, err)
		}
		if code != codeOK {
			got.want(t, code, "--latency "+mode+": not supported by this kernel: 5 of 5 are refused")
		}
	}
}

func TestStressFailures(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{syscall.EPERM, codePermission, "not permitted"},
		{fmt.Errorf("load BTF: %w", syscall.EACCES), codePermission, "not permitted"},
		{syscall.E2BIG, codeError, "exceeds the kernel's limit of instructions"},
		{syscall.ENOMEM, codeError, "cannot allocate memory"},
	} {
		if err := stressFailure(ctx, 7, c.err); exitCode(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v: exit code %d, want %d: %v", c.err, exitCode(err), c.code, err)
		}
	}
	cancel(signalled{os.Interrupt})
	got := runFake(ctx, &fakeTracer{}, "stress")
	if got.code != 130 || got.stderr != "" || got.stdout != "" {
		t.Errorf("interrupted: %+v", got)
	}
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
	f := &fakeTracer{finite: true, loads: []*record.Verification{verification("one", true)}}
	got := runFake(t.Context(), f, "trace", "--output", name)
	got.want(t, codeOK, "")
	text, err := os.ReadFile(name)
	if err != nil || got.stdout != "" || !strings.HasPrefix(string(text), "TIME") || strings.Contains(string(text), earlier) {
		t.Errorf("%v, stdout %q, file %q", err, got.stdout, text)
	}
	got = runFake(t.Context(), &fakeTracer{finite: true}, "trace", "--output", "-")
	if got.want(t, codeOK, ""); !strings.HasPrefix(got.stdout, "TIME") {
		t.Errorf("--output -: stdout %q", got.stdout)
	}
	f = &fakeTracer{}
	runFake(t.Context(), f, "trace", "--output", dir).want(t, codeOutput, "--output")
	runFake(t.Context(), f, "trace", "--output", dir, "--", "true").want(t, codeOutput, "the command was not started")
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
		{0, full, "trace -- sh -c exit_3", codeOutput},
		{0, gone, "trace -- sh -c exit_3", codeOutput}, // the command did not run
		{1, gone, "trace", codeOK},
		{1, gone, "trace -o jsonl", codeOK},
		{1, gone, "trace -- sh -c exit_3", 3},
		{0, gone, "version", codeOK},
	} {
		f := &fakeTracer{
			finite:    true,
			events:    []*record.Event{{Op: record.OpAlloc}},
			loads:     []*record.Verification{verification("one", true)},
			diagnosis: record.Diagnosis{OK: true},
		}
		var stderr lockedBuffer
		a := &app{stdout: &failingWriter{c.writes, c.err}, stderr: &stderr, open: f.open, diagnose: f.diagnose}
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		code := a.run(t.Context(), args)
		if code != c.code || strings.Contains(stderr.String(), "ERR") != (code == codeOutput) ||
			strings.Contains(stderr.String(), "the command was not started") != (c.writes == 0 && strings.Contains(c.args, "--")) {
			t.Errorf("%s, %v after %d writes: exit code %d, want %d\n%s", c.args, c.err, c.writes, code, c.code, stderr.String())
		}
	}
}
