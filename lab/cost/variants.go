package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/internal/input"
)

// variant is a way of tracing. start returns once its probes are live.
type variant struct {
	name  string
	peer  bool   // another's tracer: long loads count once under it
	slow  string // why they do not run at all; "": they do
	start func() (*running, error)
}

// running is a tracer at work.
type running struct {
	ready  time.Duration // from its start
	binary uint64        // bytes
	pid    int           // 0: no process of its own
	// lost returns how many events the tracer says it has lost; nil for one that
	// sends none, but sums in the kernel.
	lost func() (uint64, error)
	stop func() (outcome, error)
}

// outcome is what a tracer reports at its end.
type outcome struct {
	rss, lost, inexact uint64
	allocs, frees      map[string]uint64 // of a verification, by program
}

// tools is where the guest has other tracers, with the libraries they need.
const tools = "/tools"

func variants() []variant {
	return []variant{
		{bare, false, "", func() (*running, error) {
			return &running{stop: func() (outcome, error) { return outcome{}, nil }}, nil
		}},
		{"empty, ledger", false, "", emptyPrograms(false)},
		{"verialloc, ledger", false, "", verialloc("--latency", "off")},
		{"empty, ledger + latency", false, "", emptyPrograms(true)},
		{"verialloc, ledger + latency", false, "", verialloc()},
		{"verialloc, events", false, "", verialloc("--events")},
		{"bpftrace, tracepoint", true, "", bpftrace(tracepointScript, false)},
		{"bpftrace, fexit", true, "", bpftrace(fexitScript, false)},
		{"bpftrace, kprobe", true, "", bpftrace(kprobeScript, false)},
		{"perf record", true, "", perfRecord},
		{"funclatency", true, "", bccTool("funclatency-libbpf", "Tracing", "-i", "3600", allocator())},
		{"memleak", true, "", bccTool("memleak-libbpf", "Attaching", "3600")},
		{"bpftrace, print", true, "it prints for minutes, so the long loads are left out", bpftrace(printScript, true)},
	}
}

// verialloc runs the tracer on the whole machine. Its feed goes nowhere if events are
// in it.
func verialloc(flags ...string) func() (*running, error) {
	return func() (*running, error) {
		dir, err := os.MkdirTemp("", "cost")
		if err != nil {
			return nil, err
		}
		ready := filepath.Join(dir, "ready")
		if err := unix.Mkfifo(ready, 0o600); err != nil {
			return nil, err
		}
		path, err := exec.LookPath("verialloc")
		if err != nil {
			return nil, err
		}
		feed := filepath.Join(dir, "feed")
		if slices.Contains(flags, "--events") {
			feed = "/dev/null"
		}
		says, err := os.Create(filepath.Join(dir, "stderr"))
		if err != nil {
			return nil, err
		}
		defer says.Close()
		cmd := exec.Command(path, append([]string{"trace", "-o", "jsonl", "--output", feed, "--ready-file", ready}, flags...)...)
		cmd.Stderr = says
		start := time.Now()
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		live := make(chan error, 1)
		go func() {
			_, err := os.ReadFile(ready)
			live <- err
		}()
		select {
		case err := <-live:
			if err != nil {
				return nil, err
			}
		case err := <-exited:
			said, _ := os.ReadFile(says.Name())
			return nil, fmt.Errorf("verialloc: %w: %s", err, said)
		}
		r := &running{ready: time.Since(start), binary: sizeOf(path), pid: cmd.Process.Pid}
		r.lost = func() (uint64, error) {
			said, err := os.ReadFile(says.Name())
			return lossesIn(string(said)), err
		}
		r.stop = func() (outcome, error) {
			o := outcome{rss: peakRSS(r.pid)}
			err := errors.Join(cmd.Process.Signal(syscall.SIGINT), <-exited)
			said, readErr := os.ReadFile(says.Name())
			o.lost, o.inexact = lossesIn(string(said)), inexactIn(string(said))
			err = errors.Join(err, readErr, o.readEvents(feed))
			return o, errors.Join(err, os.RemoveAll(dir))
		}
		return r, nil
	}
}

var (
	lossLine  = regexp.MustCompile(`(?m)\blost: (.*)$`)
	lossCount = regexp.MustCompile(`\b[a-z_]+ (\d+)(?:[,:]|$)`)
	exactness = regexp.MustCompile(`(\d+) of (\d+) verified exact`)
)

// lossesIn returns the sum of the last losses that verialloc reported. They are counted
// from its start.
func lossesIn(said string) uint64 {
	lines := lossLine.FindAllStringSubmatch(said, -1)
	if len(lines) == 0 {
		return 0
	}
	var sum uint64
	for _, m := range lossCount.FindAllStringSubmatch(lines[len(lines)-1][1], -1) {
		sum += number(m[1])
	}
	return sum
}

// inexactIn returns how many records were not exact by verialloc's summary.
func inexactIn(said string) uint64 {
	m := exactness.FindStringSubmatch(said)
	if m == nil {
		return 0
	}
	return number(m[2]) - number(m[1])
}

// number reads digits.
func number(digits string) uint64 {
	n, _ := strconv.ParseUint(digits, 10, 64)
	return n
}

// readEvents takes the events of each program from a feed.
func (o *outcome) readEvents(feed string) error {
	f, err := input.Recording.Open(feed)
	if err != nil {
		return err
	}
	defer f.Close()
	o.allocs, o.frees = map[string]uint64{}, map[string]uint64{}
	lines := json.NewDecoder(f)
	for {
		var line struct {
			Kind          string
			ProgName      string `json:"prog_name"`
			Allocs, Frees uint64
		}
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Kind == "verification":
			o.allocs[line.ProgName], o.frees[line.ProgName] = line.Allocs, line.Frees
		}
	}
}

// tool runs a program of the tools' tree by that tree's own dynamic loader, and waits
// for a line of its output that has the given word.
func tool(program, word string, args ...string) (*running, error) {
	libraries := strings.Join([]string{tools + "/usr/lib/x86_64-linux-gnu", tools + "/usr/lib/x86_64-linux-gnu/perf"}, ":")
	line := append([]string{"--library-path", libraries, tools + program}, args...)
	cmd := exec.Command(tools+"/usr/lib64/ld-linux-x86-64.so.2", line...)
	cmd.Env = append(os.Environ(), "HOME=/tmp", "NO_COLOR=1", "BPFTRACE_MAX_MAP_KEYS=131072")
	// Its standard output is a terminal, or it would hold its lines back.
	main, terminal, err := openTerminal()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start := time.Now()
	// Its end is seen only once this side has closed the terminal.
	if err := errors.Join(cmd.Start(), terminal.Close()); err != nil {
		return nil, err
	}
	live, drained := make(chan bool, 1), make(chan struct{})
	var said bytes.Buffer
	var lost atomic.Uint64
	go func() {
		defer close(drained)
		found := false
		lines := bufio.NewReader(main)
		for {
			text, err := lines.ReadString('\n')
			if !found {
				said.WriteString(text)
			}
			if !found && strings.HasPrefix(text, word) {
				found = true
				live <- true
			}
			if m := toolLost.FindStringSubmatch(text); m != nil {
				lost.Add(number(m[1]))
			}
			if err != nil {
				if !found {
					live <- false
				}
				return
			}
		}
	}()
	select {
	case found := <-live:
		if !found {
			err := cmd.Wait()
			return nil, fmt.Errorf("%s: %w: %s", filepath.Base(program), err, strings.TrimSpace(said.String()))
		}
	case <-time.After(patience):
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		<-drained
		return nil, errors.Join(fmt.Errorf("%s: not ready after %s: it said %q", filepath.Base(program), patience, said.String()), err)
	}
	r := &running{ready: time.Since(start), binary: sizeOf(tools + program), pid: cmd.Process.Pid}
	r.lost = func() (uint64, error) { return lost.Load(), nil }
	r.stop = func() (outcome, error) {
		o := outcome{rss: peakRSS(r.pid), lost: lost.Load()}
		// Without its last words: what it prints at the end, of every key of its
		// maps, takes longer than all else and is no part of the measurement.
		if err := syscall.Kill(-r.pid, syscall.SIGKILL); err != nil {
			return o, err
		}
		_ = cmd.Wait()
		<-drained
		return o, main.Close()
	}
	return r, nil
}

// patience is how long a tool may take to be ready.
const patience = time.Minute

// toolLost is bpftrace's message about events that its ring buffer had no room for.
var toolLost = regexp.MustCompile(`^Lost (\d+) events`)

func bpftrace(script func() string, sends bool) func() (*running, error) {
	return func() (*running, error) {
		r, err := tool("/usr/bin/bpftrace", "ready", "-B", "line", "-e", script())
		if err == nil && !sends {
			r.lost = nil
		}
		return r, err
	}
}

func bccTool(name, word string, args ...string) func() (*running, error) {
	return func() (*running, error) {
		r, err := tool("/usr/sbin/"+name, word, args...)
		if err == nil {
			r.lost = nil
		}
		return r, err
	}
}

// perfRecord records the slab's tracepoints. perf answers a ping once it records.
func perfRecord() (*running, error) {
	data := &perfData{path: "/tmp/perf.data"}
	r, err := tool("/usr/bin/perf", "ready", "record", "-a", "-o", data.path,
		"-e", "kmem:kmalloc,kmem:kfree,kmem:kmem_cache_alloc,kmem:kmem_cache_free", "--",
		"/bin/busybox", "sh", "-c", "echo ready; exec /bin/busybox sleep 3600")
	if err != nil {
		return nil, err
	}
	r.lost = data.read
	stop := r.stop
	r.stop = func() (outcome, error) {
		lost, err := data.read()
		o, stopErr := stop()
		o.lost = lost
		return o, errors.Join(err, stopErr, os.Remove(data.path))
	}
	return r, nil
}
