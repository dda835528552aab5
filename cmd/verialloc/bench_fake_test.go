package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/object"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fakeLab makes believe to load programs, and to trace them.
type fakeLab struct {
	permitted error
	openErr   error                       // of the tracer
	objects   map[string][]load.Subject   // by path
	loaded    func(n int, o load.Options) // amid the n-th load
	lose      string                      // the program whose records the tracer loses
	losses    []record.Loss               // reported once the tracer is live

	mu      sync.Mutex
	loads   int
	options []load.Options
	config  tracer.Config
	globals int
	source  *fakeSource // nil: nothing is traced
	opened  bool
	closed  bool
}

func newFakeLab() *fakeLab {
	lab := &fakeLab{}
	lab.objects = map[string][]load.Subject{
		"dir/a.bpf.o": {
			&fakeProgram{lab: lab, file: "a.bpf.o", name: "good", states: 40},
			&fakeProgram{lab: lab, file: "a.bpf.o", name: "bad", states: 7, errno: unix.EACCES, log: "R1 invalid mem access 'scalar'\nverification time 7 usec\nprocessed 7 insns (limit 1000000)\n"},
		},
		"dir/b.bpf.o": {&fakeProgram{lab: lab, file: "b.bpf.o", name: "unloadable", failure: errors.New("prepare unloadable: no kfunc of that name")}},
	}
	return lab
}

func (l *fakeLab) Permitted() error { return l.permitted }

func (l *fakeLab) Machine() (record.Machine, error) {
	return record.Machine{
		Head: record.NewHead(record.KindMachine), Kernel: "6.12.117", Build: "#1 SMP", Architecture: "x86_64", CPUs: 2,
		Config: map[string]string{"CONFIG_SLUB": "y"}, Absent: map[string]string{"cpu_governor": "the kernel has no cpufreq for these CPUs"},
	}, nil
}

func (l *fakeLab) Find(path string) error {
	if _, ok := l.objects[path]; !ok {
		return &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
	}
	return nil
}

func (l *fakeLab) Object(path string, o object.Options) ([]load.Subject, error) {
	l.globals += len(o.Globals)
	programs, ok := l.objects[path]
	switch {
	case !ok:
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case programs == nil:
		return nil, errors.New(path + " is not a readable BPF object: bad magic number")
	case len(o.Globals) > 0:
		return nil, fmt.Errorf("%s: %s: the object has no such variable: %w", path, o.Globals[0], object.ErrGlobals)
	}
	return programs, nil
}

func (l *fakeLab) Stress(text string) ([]load.Subject, error) {
	kind, sizes, ok := strings.Cut(text, "=")
	if !ok {
		return nil, errors.New("want a kind and sizes")
	}
	var programs []load.Subject
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, err
		}
		programs = append(programs, &fakeProgram{
			lab: l, file: "stress", name: kind + "_" + size, states: n, generated: &record.Generated{Kind: kind, Size: n},
		})
	}
	return programs, nil
}

func (l *fakeLab) Memory() *load.Cgroup { return load.NoCgroup("this is a test") }

func (l *fakeLab) Counters(memory *load.Cgroup) *load.Counters {
	return load.OpenCounters(memory)
}

func (l *fakeLab) open(config tracer.Config) (source, error) {
	l.config, l.opened = config, true
	if l.openErr != nil {
		return nil, l.openErr
	}
	l.source = &fakeSource{lab: l, records: make(chan *record.Verification), ended: make(chan struct{})}
	return l.source, nil
}

// fakeSource traces the loads of a fakeLab.
type fakeSource struct {
	lab     *fakeLab
	records chan *record.Verification
	ended   chan struct{}
}

func (s *fakeSource) Run(ctx context.Context, sink record.Sink) error {
	defer close(s.ended)
	e := record.Environment{Head: record.NewHead(record.KindEnvironment), Kernel: "6.12.117", Ledger: "raw_tracepoint", Latency: "fentry"}
	if s.lab.losses != nil {
		e.RingBytes = uint64(max(s.lab.config.RingBytes, tracer.DefaultRingBytes)) // auto at the least
	}
	err := sink.Begin(&e)
	if err == nil && s.lab.losses != nil {
		err = sink.Loss(&record.LossReport{Head: record.NewHead(record.KindLoss), Losses: s.lab.losses})
	}
	for err == nil && ctx.Err() == nil {
		select {
		case v := <-s.records:
			err = sink.Verification(v)
		case <-ctx.Done():
		}
	}
	return errors.Join(err, sink.End(&record.Summary{}))
}

func (s *fakeSource) Close() error {
	s.lab.closed = true
	return nil
}

// fakeProgram takes a microsecond for each of its states, and a little more with each
// load, unless its times are given.
type fakeProgram struct {
	lab        *fakeLab
	file, name string
	states     int
	bare       []time.Duration   // verification times of its bare loads, in their order
	traced     []time.Duration   // of its traced loads
	generated  *record.Generated // nil: of an object
	errno      unix.Errno
	log        string
	failure    error // of preparing it
	broken     error // of loading it
}

func (p *fakeProgram) Describe() record.Program {
	path := ""
	if p.file != "stress" {
		path = "dir/" + p.file
	}
	return record.Program{
		File: p.file, Path: path, Name: p.name, SHA256: "0123", Type: "socket_filter", Attach: "cgroup_inet_ingress", InsnCount: 3 * p.states,
		Generated: p.generated,
	}
}

func (p *fakeProgram) Prepare() (load.Prepared, error) { return p, p.failure }
func (p *fakeProgram) Close() error                    { return nil }

func (p *fakeProgram) Load(o load.Options) (load.Stats, error) {
	l := p.lab
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	l.options = append(l.options, o)
	if l.loaded != nil {
		l.loaded(l.loads, o)
	}
	duration := time.Duration(p.states+l.loads) * time.Microsecond
	if o.Name == "" && len(p.bare) > 0 {
		duration, p.bare = p.bare[0], p.bare[1:]
	}
	s := load.Stats{
		Errno: p.errno, Verified: true, Log: p.log,
		Wall: duration + 500, VerificationTime: duration,
		InsnsProcessed: 10 * p.states, TotalStates: p.states, PeakStates: p.states, StackDepth: []int{8, 16}, MaxStackDepth: new(16), ProgSize: 3 * p.states,
	}
	if o.Counters != nil {
		s.Counters = map[string]record.Counter{
			"task_clock_ns": {Value: uint64(duration)}, "cycles": {Absent: "this machine has no such counter"},
		}
	}
	if p.errno == 0 {
		s.ProgSizeJited = 20 * p.states
	}
	if o.Name != "" && p.name != l.lose {
		s.VerificationTime *= 2
		if len(p.traced) > 0 {
			s.VerificationTime, p.traced = p.traced[0], p.traced[1:]
		}
		v := &record.Verification{
			Head: record.NewHead(record.KindVerification), ProgName: o.Name, Errno: int(p.errno), ReachedVerifier: true,
			VerifierStats: record.VerifierStats{TotalStates: uint64(p.states)}, StateListAllocs: uint64(p.states), Allocs: uint64(9 * p.states), Exact: p.states != 7,
			BytesRequested: uint64(900 * p.states), BytesAllocated: uint64(1000 * p.states), PeakLiveBytes: uint64(500 * p.states),
			DurationNS: 4000, AllocTimeNS: 1000, LatencyCoverage: 1,
		}
		select {
		case l.source.records <- v:
		case <-l.source.ended:
		}
	}
	return s, p.broken
}

// bench runs the command line in the lab.
func (l *fakeLab) bench(ctx context.Context, args ...string) outcome {
	var stdout, stderr lockedBuffer
	a := &app{stdout: &stdout, stderr: &stderr, lab: l, open: l.open}
	code := a.run(ctx, append([]string{"bench"}, args...))
	return outcome{code, stdout.String(), stderr.String()}
}

// times are what differs from run to run.
var times = regexp.MustCompile(`"time_unix_ns":[0-9]+|"version":"[^"]*"`)

// golden compares text with a file under testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	text = times.ReplaceAllStringFunc(text, func(member string) string {
		name, _, _ := strings.Cut(member, ":")
		if name == `"version"` {
			return name + `:"test"`
		}
		return name + ":0"
	})
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
