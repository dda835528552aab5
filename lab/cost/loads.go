package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/verialloc/verialloc/workload"
)

// load is something whose time a tracer adds to. run does it once and returns how
// long it took.
type load struct {
	name    string
	repeats int  // counted ones, after one that is not
	long    bool // left out under tracers that are slow
	run     func() (time.Duration, error)
}

// loads are those of the report, in its order.
func loads() []load {
	return []load{
		{"stress-100", 9, false, verify(workload.Stress(100))},
		{"stress-1000", 7, false, verify(workload.Stress(1000))},
		{"stress-4000", 3, true, verify(workload.Stress(4000))},
		{"large-5000", 4, true, verify(workload.Large(5000))},
		{"8-loaders", 2, false, eightLoaders},
		{bystanderXattr, 5, false, setXattr},
		{"bystander-files", 5, true, createFiles},
	}
}

// verify takes the verifier's own word for the time of one load.
func verify(p workload.Program) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		stats, err := workload.Load(p.Spec, workload.Options{})
		return stats.VerificationTime, err
	}
}

// eightLoaders loads the stress program four times on each of eight threads.
func eightLoaders() (time.Duration, error) {
	start := time.Now()
	_, err := workload.Parallel(context.Background(), 8, 4, workload.Stress(1000).Spec, workload.Options{})
	return time.Since(start), err
}

const (
	bystanderXattr = "bystander-xattr"
	xattrCalls     = 20000
)

// setXattr makes kmalloc and kfree nearly all there is to do: each call copies its
// value into a buffer, and gives it back when there is no such file.
func setXattr() (time.Duration, error) {
	value := make([]byte, 512)
	start := time.Now()
	for range xattrCalls {
		if err := setxattr("/nonexistent", value); err == nil {
			return 0, fmt.Errorf("setxattr succeeded on a file that is not there")
		}
	}
	return time.Since(start), nil
}

// createFiles creates and removes files, as real work that allocates.
func createFiles() (time.Duration, error) {
	const files = 2000
	dir, err := os.MkdirTemp("/tmp", "cost")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "file")
	start := time.Now()
	for range files {
		if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
			return 0, err
		}
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
