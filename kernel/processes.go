package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// Process is one that runs.
type Process struct {
	PID    int
	Parent int
	Name   string // of its first thread; anybody may choose it
}

// Descendants returns the processes below one that still run, in the order of their ids, as
// /proc has them: without those that have ended and wait for their parent to take note.
func Descendants(pid int) ([]Process, error) {
	// The ids of another PID namespace's /proc are others.
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("/proc is not of this process's PID namespace")
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var all []Process
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		stat, err := input.Kernel.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		p, runs, err := parseProcess(stat)
		if err != nil {
			return nil, fmt.Errorf("/proc/%s/stat: %w", entry.Name(), err)
		}
		if runs {
			all = append(all, p)
		}
	}
	return descendants(all, pid), nil
}

// parseProcess reads a stat file: "pid (name) state parent ...", where the name may hold
// anything.
func parseProcess(stat []byte) (p Process, runs bool, err error) {
	first, last := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if first < 0 || last < first {
		return p, false, fmt.Errorf("no name in %q", stat)
	}
	fields := strings.Fields(string(stat[last+1:]))
	if len(fields) < 2 {
		return p, false, fmt.Errorf("no parent in %q", stat)
	}
	if p.PID, err = strconv.Atoi(strings.TrimSpace(string(stat[:first]))); err != nil {
		return p, false, err
	}
	if p.Parent, err = strconv.Atoi(fields[1]); err != nil {
		return p, false, err
	}
	p.Name = string(stat[first+1 : last])
	return p, !strings.ContainsAny(fields[0], "ZXx"), nil
}

// descendants returns those below a process: the parents of a process that descends from it
// do, whatever their ids.
func descendants(all []Process, pid int) []Process {
	parent := map[int]int{}
	for _, p := range all {
		parent[p.PID] = p.Parent
	}
	var below []Process
	for _, p := range all {
		above := p.Parent
		// The processes were read one after another, so that in theory they form a circle.
		for range all {
			if above == pid || above == 0 {
				break
			}
			above = parent[above]
		}
		if above == pid {
			below = append(below, p)
		}
	}
	return below
}
