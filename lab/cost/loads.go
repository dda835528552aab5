package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
)

// task is something whose time a tracer adds to. run does it once and returns how
// long it took.
type task struct {
	name string
	long bool // counted only once under others' tracers
	// verifications of the program of that name, in each run; 0: a bystander
	verifications int
	program       string
	run           func() (time.Duration, error)
}

// repeats is how often a load counts, after a first that does not.
const repeats = 5

// loads are those of the report, in its order.
func loads() []task {
	return []task{
		wholeCall(leastLoad, generate.Stress(0)),
		verify("stress-100", false, generate.Stress(100)),
		verify(stressLoad, false, generate.Stress(1000)),
		verify("stress-4000", true, generate.Stress(4000)),
		verify("large-5000", true, generate.Large(5000)),
		{loadersLoad, true, loaders * loadsEach, stressLoad, eightLoaders},
		{bystanderXattr, false, 0, "", setXattr},
		{"bystander-files", false, 0, "", createFiles},
	}
}

// verify takes the verifier's own word for the time of one load. The program bears
// the load's name, by which its records are found.
func verify(name string, long bool, p generate.Case) task {
	p.Spec.Name = programName(name)
	return task{name, long, 1, name, func() (time.Duration, error) {
		stats, err := load.Load(p.Spec, load.Options{})
		return stats.VerificationTime, err
	}}
}

// wholeCall takes the time of all of bpf(2), so that what a tracer does before and after
// the verification is in it.
func wholeCall(name string, p generate.Case) task {
	p.Spec.Name = programName(name)
	return task{name, false, 1, name, func() (time.Duration, error) {
		stats, err := load.Load(p.Spec, load.Options{})
		return stats.Wall, err
	}}
}

// programName is a load's name in the letters that a program's may have.
func programName(load string) string { return strings.ReplaceAll(load, "-", "_") }

const (
	leastLoad   = "stress-0"
	stressLoad  = "stress-1000"
	loadersLoad = "8-loaders"
	loaders     = 8
	loadsEach   = 2
)

// eightLoaders loads the stress program twice on each of eight threads.
func eightLoaders() (time.Duration, error) {
	start := time.Now()
	_, err := load.Parallel(context.Background(), loaders, loadsEach, generate.Stress(1000).Spec, load.Options{})
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
