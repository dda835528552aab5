package main

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// testOutputs are the flags of a test binary that name a file it writes.
var testOutputs = []string{"blockprofile", "coverprofile", "cpuprofile", "memprofile", "mutexprofile", "trace"}

// addTestOutputs brings back what a test binary of go test writes: go test
// reads it when the binary has ended.
func (p *plan) addTestOutputs() {
	dir := p.spec.Dir
	for _, arg := range p.spec.Args[1:] {
		if value, ok := strings.CutPrefix(arg, "-test.outputdir="); ok {
			dir = value
		}
	}
	p.spec.Dirs = append(p.spec.Dirs, dir)
	for _, arg := range p.spec.Args[1:] {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "-test."), "=")
		if !strings.HasPrefix(arg, "-test.") || value == "" {
			continue
		}
		if name == "gocoverdir" {
			p.spec.Dirs = append(p.spec.Dirs, value)
			p.fetchFile(value, value)
		}
		if slices.Contains(testOutputs, name) {
			if !filepath.IsAbs(value) {
				value = filepath.Join(dir, value)
			}
			p.spec.Dirs = append(p.spec.Dirs, filepath.Dir(value))
			p.fetchFile(value, value)
		}
	}
}

// limitTest makes -test.timeout a limit in the guest's own time, and gives a test
// binary one by the wall clock that comes before the runner's: the test then fails
// with its goroutines where the guest is too starved to obey an order to quit.
func (p *plan) limitTest() {
	const flag = "-test.timeout="
	args := p.spec.Args
	if !slices.ContainsFunc(args[1:], func(arg string) bool { return strings.HasPrefix(arg, "-test.") }) {
		return
	}
	at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, flag) })
	if at > 0 {
		asked, err := time.ParseDuration(strings.TrimPrefix(args[at], flag))
		if err != nil {
			return // the test binary refuses it
		}
		if asked > 0 && (p.limits.Timeout == 0 || asked < p.limits.Timeout) {
			p.limits.Timeout = asked
		}
	}
	if p.limits.Timeout == 0 {
		return
	}
	wall := p.limits.Wall()
	last := flag + (wall - min(30*time.Second, wall/10)).String()
	if at > 0 {
		args[at] = last
	} else {
		p.spec.Args = slices.Insert(args, 1, last)
	}
}
