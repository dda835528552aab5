package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// programRuns is how often the kernel ran a program during one run of the stress
// program, and how long that took in all, its reading of the clock included.
type programRuns struct {
	Name string `json:"name"`
	Runs uint64 `json:"runs"`
	NS   uint64 `json:"ns"`
}

// runsOf runs a load once while the kernel times programs, and returns the sums of
// those of each name.
func runsOf(l task) (runs []programRuns, err error) {
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("time programs: %w", err)
	}
	defer func() { err = errors.Join(err, stats.Close()) }()
	before, err := programSums()
	if err != nil {
		return nil, err
	}
	if _, err := l.run(); err != nil {
		return nil, err
	}
	after, err := programSums()
	if err != nil {
		return nil, err
	}
	for name, r := range after {
		if r.Runs -= before[name].Runs; r.Runs > 0 {
			r.NS -= before[name].NS
			runs = append(runs, r)
		}
	}
	return runs, nil
}

func programSums() (map[string]programRuns, error) {
	sums := map[string]programRuns{}
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return sums, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list programs: %w", err)
		}
		id = next
		if err := addSums(sums, id); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
}

func addSums(sums map[string]programRuns, id ebpf.ProgramID) (err error) {
	prog, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prog.Close()) }()
	info, err := prog.Info()
	if err != nil {
		return err
	}
	stats, err := prog.Stats()
	if err != nil {
		return err
	}
	r := sums[info.Name]
	sums[info.Name] = programRuns{info.Name, r.Runs + stats.RunCount, r.NS + uint64(stats.Runtime)}
	return nil
}

// Which of verialloc's programs run for what. The kernel cuts names at 15 bytes.
var programPurposes = []struct {
	purpose  string
	prefixes []string
}{
	{purposeAlloc, []string{"raw_kmalloc", "tp_kmalloc", "raw_kmem_cache_a", "tp_kmem_cache_a", "fentry_cache", "fentry_size", "kprobe_cache", "kprobe_size"}},
	{purposeFree, []string{"raw_kfree", "tp_kfree", "raw_kmem_cache_f", "tp_kmem_cache_f"}},
	{purposeVisit, []string{"fentry_visit", "fexit_visit"}},
}

const (
	purposeAlloc = "an allocation"
	purposeFree  = "a free"
	purposeVisit = "a visit"
)

// purposeOf returns what a program of verialloc runs for, or "".
func purposeOf(name string) string {
	for _, p := range programPurposes {
		for _, prefix := range p.prefixes {
			if strings.HasPrefix(name, prefix[:min(len(prefix), 15)]) {
				return p.purpose
			}
		}
	}
	return ""
}
