package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// manyLoads are more than a pipe takes.
func manyLoads() []*record.Verification {
	loads := make([]*record.Verification, 1000)
	for i := range loads {
		loads[i] = verification(fmt.Sprint("load ", i), true)
	}
	return loads
}

// lineCounts finds what an error says of lines.
var lineCounts = regexp.MustCompile(`lines written: (\d+), not written: (\d+)`)

// counts returns what was said of lines.
func (o outcome) counts(t *testing.T) (written, lost int) {
	t.Helper()
	found := lineCounts.FindStringSubmatch(o.stderr)
	if found == nil {
		t.Fatalf("no count of lines: %s", o.stderr)
	}
	written, _ = strconv.Atoi(found[1])
	lost, _ = strconv.Atoi(found[2])
	return written, lost
}

// A signal and --duration end a trace also where nobody reads the feed, and what was not
// written is counted; the same where standard error is the same pipe.
func TestEndsUnread(t *testing.T) {
	interrupted := func(t *testing.T) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(signalled{syscall.SIGTERM}) })
		return ctx
	}
	for name, c := range map[string]struct {
		ctx  func(*testing.T) context.Context
		args []string
	}{
		"duration": {(*testing.T).Context, []string{"--duration", "1ms"}},
		"signal":   {interrupted, nil},
	} {
		for _, format := range []string{"table", "jsonl"} {
			t.Run(name+" "+format, func(t *testing.T) {
				reader, pipe, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer pipe.Close()
				var stderr lockedBuffer
				f := &fakeTracer{loads: manyLoads()}
				a := &app{stdout: pipe, stderr: &stderr, open: f.open, patience: 10 * time.Millisecond}
				got := outcome{code: a.run(c.ctx(t), append([]string{"trace", "-o", format}, c.args...))}
				got.stderr = stderr.String()
				got.want(t, codeOutput, "its reader does not read")
				pipe.Close()
				text, err := io.ReadAll(reader)
				if err = errors.Join(err, reader.Close()); err != nil {
					t.Fatal(err)
				}
				lines := 1001 // with the titles
				if format == "jsonl" {
					lines = 1002 // with the environment and the summary
				}
				written, lost := got.counts(t)
				if written != strings.Count(string(text), "\n") || written+lost != lines {
					t.Errorf("said to be written: %d, lost: %d; read: %d of %d", written, lost, strings.Count(string(text), "\n"), lines)
				}
				if torn := !strings.HasSuffix(string(text), "\n"); torn != strings.Contains(got.stderr, "cut short") {
					t.Errorf("cut short: %v: %s", torn, got.stderr)
				}

				shut, full, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer shut.Close()
				defer full.Close()
				a.stdout, a.stderr = full, full
				if code := a.run(c.ctx(t), append([]string{"trace", "-o", format}, c.args...)); code != codeOutput {
					t.Errorf("both unread: exit code %d", code)
				}
			})
		}
	}
}

// pausing is a reader that pauses.
type pausing struct {
	over   context.Context // done once it reads
	resume context.CancelFunc
	most   chan struct{} // closed once all was read but the summary
}

func newPausing(t *testing.T) *pausing {
	p := &pausing{most: make(chan struct{})}
	p.over, p.resume = context.WithCancel(t.Context())
	return p
}

// of runs a trace of many loads that it reads: at the latest when that has ended.
func (p *pausing) of(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeTracer{loads: manyLoads()}
	read := make(chan string)
	go func() {
		<-p.over.Done()
		var text strings.Builder
		lines := bufio.NewScanner(reader)
		for n := 1; lines.Scan(); n++ {
			fmt.Fprintln(&text, lines.Text())
			if n == 1+len(f.loads) {
				close(p.most)
			}
		}
		read <- text.String()
	}()
	var stderr lockedBuffer
	a := &app{stdout: pipe, stderr: &stderr, open: f.open, patience: time.Millisecond}
	got := outcome{code: a.run(ctx, append([]string{"trace", "-o", "jsonl"}, args...)), stderr: stderr.String()}
	p.resume()
	err = pipe.Close()
	got.stdout = <-read
	if err = errors.Join(err, reader.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

// Where a trace ends by itself, it waits for a reader that pauses: also for longer than
// --duration would have let it go on.
func TestEndsRead(t *testing.T) {
	const longPast = 200 * time.Millisecond // many times the patience
	for _, c := range []struct {
		args  []string
		pause time.Duration
		code  int
		lines int
	}{
		{[]string{"--", "sh", "-c", "exit 3"}, longPast, 3, 1002},
		{[]string{"--duration", "1s", "--", "sh", "-c", "exit 3"}, time.Second + longPast, 3, 1002},
		{[]string{"--count", "900"}, longPast, codeOK, 902},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			p := newPausing(t)
			time.AfterFunc(c.pause, p.resume)
			got := p.of(t.Context(), t, c.args...)
			if n := strings.Count(got.stdout, "\n"); got.code != c.code || n != c.lines {
				t.Errorf("exit code %d, want %d; %d lines, want %d: %s", got.code, c.code, n, c.lines, got.stderr)
			}
		})
	}
}

// A signal while the command runs takes nothing from a reader that pauses; once the command
// has ended too it ends the trace.
func TestSignalDuringCommandUnread(t *testing.T) {
	const script = `: > "$0/ready"; until test -e "$0/end"; do sleep 0.01; done; exit 3`
	for _, read := range []bool{true, false} {
		dir := t.TempDir()
		p := newPausing(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		onceThere(filepath.Join(dir, "ready"), func() {
			cancel(signalled{os.Interrupt})
			if read {
				time.Sleep(200 * time.Millisecond) // many times the patience
				p.resume()
				select {
				case <-p.most:
				case <-time.After(10 * time.Second):
				}
			}
			_ = os.WriteFile(filepath.Join(dir, "end"), nil, 0o600)
		})
		got := p.of(ctx, t, "--", "sh", "-c", script, dir)
		if !read {
			if got.code != codeOutput || !strings.Contains(got.stderr, "its reader does not read") {
				t.Errorf("unread: exit code %d: %s", got.code, got.stderr)
			}
			continue
		}
		if n := strings.Count(got.stdout, "\n"); got.code != 3 || n != 1002 {
			t.Errorf("read: exit code %d, lines: %d: %s", got.code, n, got.stderr)
		}
	}
}

// bench ends as well, though it writes after the signal alone.
func TestBenchEndsUnread(t *testing.T) {
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer pipe.Close()
	if _, err := pipe.Write(make([]byte, pipeSize(t, pipe))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	lab := newFakeLab()
	lab.loaded = func(n int, _ load.Options) {
		if n == 10 {
			cancel(signalled{syscall.SIGTERM})
		}
	}
	var stderr lockedBuffer
	a := &app{stdout: pipe, stderr: &stderr, open: lab.open, lab: lab, patience: 10 * time.Millisecond}
	got := outcome{code: a.run(ctx, []string{"bench", "-q", "--repeat", "10", "-o", "csv", "dir/a.bpf.o"})}
	got.stderr = stderr.String()
	got.want(t, codeOutput, "its reader does not read")
}

func pipeSize(t *testing.T, pipe *os.File) int {
	t.Helper()
	size, err := unix.FcntlInt(pipe.Fd(), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// A signal ends a trace whose FIFO nobody has opened yet.
func TestEndsUnopened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(signalled{syscall.SIGTERM}) })
	f := &fakeTracer{}
	runFake(ctx, f, "trace", "--output", name).want(t, codeOutput, "nobody reads it: terminated")
	if f.opened {
		t.Error("traced")
	}

	got := make(chan string)
	go func() {
		text, _ := os.ReadFile(name)
		got <- string(text)
	}()
	runFake(t.Context(), &fakeTracer{finite: true}, "trace", "--output", name).want(t, codeOK, "")
	if text := <-got; !strings.HasPrefix(text, "TIME") {
		t.Errorf("read %q", text)
	}
}

// A file for which there is no room ends with a whole line, wherever the room ends.
func TestOutputFills(t *testing.T) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGXFSZ)
	defer signal.Stop(c)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}()
	name := filepath.Join(t.TempDir(), "feed")
	loads := make([]*record.Verification, 40)
	for i := range loads {
		loads[i] = verification(strings.Repeat("x", 30_000), true)
	}
	for _, events := range []int{0, 1000} {
		// Room enough for what the test itself writes.
		for room := uint64(1 << 20); room < 1<<20+30_000; room += 9_999 {
			f := &fakeTracer{loads: loads}
			f.events = slices.Repeat([]*record.Event{{Head: record.NewHead(record.KindEvent), Op: record.OpAlloc}}, events)
			if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: room, Max: before.Max}); err != nil {
				t.Fatal(err)
			}
			got := runFake(t.Context(), f, "trace", "-o", "jsonl", "--events", "--output", name)
			got.want(t, codeOutput, "file too large")
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
			for _, line := range lines {
				if !json.Valid([]byte(line)) {
					t.Errorf("room for %d: no JSON: %.80s", room, line)
				}
			}
			all := 2 + len(loads) + events
			if written, lost := got.counts(t); written != len(lines) || written+lost != all {
				t.Errorf("room for %d: said to be written: %d, lost: %d; there: %d of %d", room, written, lost, len(lines), all)
			}
		}
	}
}
