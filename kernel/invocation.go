package kernel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/verialloc/verialloc/internal/input"
)

// initialPIDNamespace is how /proc names it, on every kernel.
const initialPIDNamespace = "pid:[4026531836]"

// InInitialPIDNamespace reports whether /proc counts processes as the kernel's programs do.
func InInitialPIDNamespace() bool {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && namespace == initialPIDNamespace
}

// Processes reads of running processes what /proc shows.
type Processes struct {
	offset time.Duration // of this process's CLOCK_BOOTTIME
}

// OpenProcesses prepares that. It fails where /proc counts processes otherwise than the
// initial PID namespace.
func OpenProcesses() (*Processes, error) {
	if !InInitialPIDNamespace() {
		return nil, errors.New("/proc counts processes as another PID namespace than the initial one")
	}
	// A kernel without time namespaces (CONFIG_TIME_NS) has none.
	offsets, err := input.Kernel.ReadFile("/proc/self/timens_offsets")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	p := &Processes{}
	for line := range strings.Lines(string(offsets)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "boottime" {
			seconds, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("/proc/self/timens_offsets: %w", err)
			}
			nanoseconds, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("/proc/self/timens_offsets: %w", err)
			}
			p.offset = time.Duration(seconds)*time.Second + time.Duration(nanoseconds)
		}
	}
	return p, nil
}

// Invocation is how a process was started, by its own word.
type Invocation struct {
	CommandLine []string
	Cut         bool   // there is more of the command line than was read
	Executable  string // empty: it cannot be seen, or there is none
}

// maxCommandLine is how much is read of a command line, in bytes.
const maxCommandLine = 4096

// clockTick is the unit of times in /proc/PID/stat: USER_HZ is 100 everywhere.
const clockTick = 10 * time.Millisecond

// Read returns what a process that started startNS after the boot says of itself. It
// fails if that is gone, and has nothing of another one that has its id now.
func (p *Processes) Read(pid uint32, startNS uint64) (Invocation, error) {
	dir, err := os.OpenRoot(fmt.Sprintf("/proc/%d", pid)) // of this process from here on
	if err != nil {
		return Invocation{}, err
	}
	defer func() { _ = dir.Close() }()
	stat, err := input.Kernel.ReadFileIn(dir.FS(), "stat")
	if err != nil {
		return Invocation{}, err
	}
	now, err := parseStat(stat)
	if err != nil {
		return Invocation{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	if now.startTicks != (int64(startNS)+int64(p.offset))/int64(clockTick) {
		return Invocation{}, fmt.Errorf("process %d is another one now", pid)
	}
	file, err := input.Kernel.OpenIn(dir.FS(), "cmdline")
	if err != nil {
		return Invocation{}, err
	}
	defer file.Close()
	line, err := io.ReadAll(io.LimitReader(file, maxCommandLine+1))
	if err != nil {
		return Invocation{}, err
	}
	out := Invocation{}
	out.CommandLine, out.Cut = commandLine(line)
	out.Executable, _ = dir.Readlink("exe") // takes PTRACE_MODE_READ
	return out, nil
}

// commandLine splits a command line, of which no more than maxCommandLine is kept.
func commandLine(line []byte) (arguments []string, cut bool) {
	if len(line) > maxCommandLine {
		line, cut = line[:maxCommandLine], true
	}
	text := strings.TrimSuffix(string(line), "\x00")
	if text == "" {
		return nil, cut
	}
	return strings.Split(text, "\x00"), cut
}
