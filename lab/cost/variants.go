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
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// variant is a way of tracing. start returns once its probes are live.
type variant struct {
	name  string
	slow  bool // to start, and to run: once for all loads that are not long
	start func() (*running, error)
}

// running is a tracer at work.
type running struct {
	ready  time.Duration // from its start
	binary uint64        // bytes
	stop   func() (outcome, error)
}

// outcome is what a tracer tells at its end.
type outcome struct {
	rss, events, lost, inexact uint64
}

// tools is where the guest has other tracers, with the libraries they need.
const tools = "/tools"

func variants() []variant {
	return []variant{
		{"bare", false, func() (*running, error) {
			return &running{stop: func() (outcome, error) { return outcome{}, nil }}, nil
		}},
		{"empty, ledger", false, emptyPrograms(false)},
		{"verialloc, ledger", false, verialloc("--latency", "off")},
		{"empty, ledger + latency", false, emptyPrograms(true)},
		{"verialloc, ledger + latency", false, verialloc()},
		{"verialloc, events", false, verialloc("--events")},
		{"bpftrace, tracepoint", true, bpftrace(tracepointScript)},
		{"bpftrace, fexit", true, bpftrace(fexitScript())},
		{"bpftrace, kprobe", true, bpftrace(kprobeScript)},
		{"bpftrace, print", true, bpftrace(printScript)},
		{"perf record", true, perfRecord},
		{"funclatency", true, bccTool("funclatency-libbpf", "Tracing", "-i", "3600", allocator())},
	}
}

// verialloc runs the tracer on the whole machine with its feed going nowhere.
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
		args := append([]string{"trace", "-o", "jsonl", "--output", "/dev/null", "--ready-file", ready}, flags...)
		if len(flags) == 0 || flags[0] != "--events" {
			args[4] = feed
		}
		cmd := exec.Command(path, args...)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
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
			return nil, fmt.Errorf("verialloc: %w: %s", err, complaints.String())
		}
		r := &running{ready: time.Since(start), binary: sizeOf(path)}
		r.stop = func() (outcome, error) {
			o := outcome{rss: peakRSS(cmd.Process.Pid)}
			err := errors.Join(cmd.Process.Signal(syscall.SIGINT), <-exited)
			if args[4] == feed {
				err = errors.Join(err, o.read(feed))
			}
			return o, errors.Join(err, os.RemoveAll(dir))
		}
		return r, nil
	}
}

// read takes the sums from a feed.
func (o *outcome) read(feed string) error {
	f, err := os.Open(feed)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := json.NewDecoder(f)
	for {
		var line struct {
			Kind   string
			Exact  json.RawMessage // of a summary it is a number
			Allocs uint64
			Frees  uint64
			Losses []struct{ Count uint64 }
		}
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Kind == "verification":
			o.events += line.Allocs + line.Frees
			if string(line.Exact) != "true" {
				o.inexact++
			}
		case line.Kind == "summary":
			for _, l := range line.Losses {
				o.lost += l.Count
			}
		}
	}
}

// tool runs a program of the tools' tree by that tree's own dynamic loader, and waits
// for a line of its output that has the given word.
func tool(program, word string, args ...string) (*running, error) {
	libraries := strings.Join([]string{tools + "/usr/lib/x86_64-linux-gnu", tools + "/usr/lib/x86_64-linux-gnu/perf"}, ":")
	line := append([]string{"--library-path", libraries, tools + program}, args...)
	cmd := exec.Command(tools+"/usr/lib64/ld-linux-x86-64.so.2", line...)
	cmd.Env = append(os.Environ(), "HOME=/tmp", "NO_COLOR=1", "BPFTRACE_MAX_MAP_KEYS=1000000")
	// Its standard output is a terminal, or it would hold its lines back.
	main, terminal, err := openTerminal()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = terminal, terminal
	start := time.Now()
	// Its end is seen only once this side has closed the terminal.
	if err := errors.Join(cmd.Start(), terminal.Close()); err != nil {
		return nil, err
	}
	live, drained := make(chan bool, 1), make(chan struct{})
	var said bytes.Buffer
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
			if err != nil {
				if !found {
					live <- false
				}
				return
			}
		}
	}()
	if !<-live {
		err := cmd.Wait()
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(program), err, strings.TrimSpace(said.String()))
	}
	r := &running{ready: time.Since(start), binary: sizeOf(tools + program)}
	r.stop = func() (outcome, error) {
		o := outcome{rss: peakRSS(cmd.Process.Pid)}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			return o, err
		}
		// What it prints at the end is no part of the measurement, nor is
		// its exit code.
		_ = cmd.Wait()
		<-drained
		return o, main.Close()
	}
	return r, nil
}

func bpftrace(script string) func() (*running, error) {
	return func() (*running, error) {
		return tool("/usr/bin/bpftrace", "ready", "-B", "line", "-e", script)
	}
}

func bccTool(name, word string, args ...string) func() (*running, error) {
	return func() (*running, error) { return tool("/usr/sbin/"+name, word, args...) }
}

// perfRecord records the slab's tracepoints. perf answers a ping once it records.
func perfRecord() (*running, error) {
	return tool("/usr/bin/perf", "ready", "record", "-a", "-o", "/tmp/perf.data",
		"-e", "kmem:kmalloc,kmem:kfree,kmem:kmem_cache_alloc,kmem:kmem_cache_free", "--",
		"/bin/busybox", "sh", "-c", "echo ready; exec /bin/busybox sleep 3600")
}

// peakRSS reads a process's peak resident memory in bytes; 0 if it is gone.
func peakRSS(pid int) uint64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kB uint64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kB); err == nil {
			return kB << 10
		}
	}
	return 0
}

func sizeOf(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}
