package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

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

// cpuTime is how long the threads of the tracer that live have run, in nanoseconds.
func (r *running) cpuTime() uint64 {
	if r.pid == 0 {
		return 0
	}
	// The pattern is well-formed.
	names, _ := filepath.Glob("/proc/" + strconv.Itoa(r.pid) + "/task/*/schedstat")
	var sum uint64
	for _, name := range names {
		var ran uint64
		if text, err := os.ReadFile(name); err == nil {
			if _, err := fmt.Sscan(string(text), &ran); err == nil {
				sum += ran
			}
		}
	}
	return sum
}

func sizeOf(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}
