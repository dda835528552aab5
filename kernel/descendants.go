package kernel

import (
	"errors"
	"fmt"
	"os"
	"strconv"

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
		p, err := parseStat(stat)
		if err != nil {
			return nil, fmt.Errorf("/proc/%s/stat: %w", entry.Name(), err)
		}
		if p.runs() {
			all = append(all, p.Process)
		}
	}
	return descendants(all, pid), nil
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
