package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// kernel pretends to load programs.
type kernel struct {
	t  *testing.T
	mu sync.Mutex

	loads    []string // in the order in which they began
	atOnce   int
	most     int // of atOnce
	open     int // prepared programs
	mostOpen int
	threads  map[int]bool
	loaded   func(name string, o load.Options, s *load.Stats) error // amid a load
}

func (k *kernel) programs(n int) []load.Subject {
	programs := make([]load.Subject, n)
	for i := range programs {
		programs[i] = &fakeProgram{kernel: k, name: fmt.Sprintf("p%d", i)}
	}
	return programs
}

type fakeProgram struct {
	*kernel
	name    string
	failure error
}

func (p *fakeProgram) Describe() record.Program {
	return record.Program{File: "fake.bpf.o", Name: p.name}
}

func (p *fakeProgram) Prepare() (load.Prepared, error) {
	if p.failure != nil {
		return nil, p.failure
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open++
	p.mostOpen = max(p.mostOpen, p.open)
	return p, nil
}

func (p *fakeProgram) Load(o load.Options) (load.Stats, error) {
	p.mu.Lock()
	p.loads = append(p.loads, p.name)
	p.atOnce++
	p.most = max(p.most, p.atOnce)
	if p.threads == nil {
		p.threads = map[int]bool{}
	}
	p.threads[unix.Gettid()] = true
	n := len(p.loads)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.atOnce--
		p.mu.Unlock()
	}()
	s := load.Stats{TotalStates: n, Wall: time.Millisecond, VerificationTime: time.Microsecond, Verified: true}
	if p.loaded != nil {
		return s, p.loaded(p.name, o, &s)
	}
	return s, nil
}

func (p *fakeProgram) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open--; p.open < 0 {
		p.t.Error("closed twice")
	}
	return nil
}

// memory is a Recorder that keeps everything. It returns err, if that is set.
type memory struct {
	programs []record.Program
	samples  []record.Sample
	order    []string // kinds of line
	err      error
}

func (m *memory) Program(p *record.Program) error {
	m.programs = append(m.programs, *p)
	m.order = append(m.order, p.Kind)
	return m.err
}

func (m *memory) Environment(e *record.Environment) error {
	m.order = append(m.order, e.Kind)
	return m.err
}

func (m *memory) Sample(s *record.Sample) error {
	m.samples = append(m.samples, *s)
	m.order = append(m.order, s.Kind)
	return m.err
}

func TestBareRounds(t *testing.T) {
	k := &kernel{t: t}
	var recorder memory
	loaded := 0
	plan := Plan{Repeat: 4, Warmup: 1, Parallel: 1, Seed: 7, Loaded: func() { loaded++ }}
	b := New(plan, k.programs(5), &recorder)
	if err := b.Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(k.loads) != 25 || loaded != 25 || len(recorder.samples) != 20 || b.Samples() != 20 || plan.Loads(5) != 25 {
		t.Fatalf("%d loads, %d told, %d samples, want 25, 25 and 20", len(k.loads), loaded, len(recorder.samples))
	}
	var orders []string
	for round := range slices.Chunk(k.loads, 5) {
		orders = append(orders, fmt.Sprint(round))
		if sorted := slices.Sorted(slices.Values(round)); !slices.Equal(sorted, []string{"p0", "p1", "p2", "p3", "p4"}) {
			t.Errorf("a round loads %v", sorted)
		}
	}
	if slices.Sort(orders); len(slices.Compact(orders)) == 1 {
		t.Errorf("all rounds have one order: %v", orders)
	}
	for i, s := range recorder.samples {
		if s.Round != i/5 || s.Name != k.loads[5+i] || s.Program != int(s.Name[1]-'0') || s.Mode != record.ModeBare {
			t.Errorf("sample %d: round %d of %s, program %d, %s", i, s.Round, s.Name, s.Program, s.Mode)
		}
		if s.TotalStates != uint64(6+i) { // of its own load, not of another
			t.Errorf("sample %d has the numbers of load %d", i, s.TotalStates)
		}
	}
	if k.most != 1 || len(k.threads) != 1 || k.threads[unix.Gettid()] {
		t.Errorf("%d loads at once on threads %v, want one loader with a thread of its own", k.most, k.threads)
	}
	if err := b.Close(); err != nil || k.open != 0 {
		t.Errorf("%d programs left open: %v", k.open, err)
	}

	again := &kernel{t: t}
	if err := New(plan, again.programs(5), &memory{}).Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k.loads, again.loads); diff != "" {
		t.Errorf("one seed, two orders:\n%s", diff)
	}
	plan.Seed++
	other := &kernel{t: t}
	if err := New(plan, other.programs(5), &memory{}).Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(k.loads, other.loads) {
		t.Error("two seeds, one order")
	}
}

func TestParallel(t *testing.T) {
	const loaders = 3
	k := &kernel{t: t}
	var together sync.WaitGroup // only loaders that are at work at once get past it
	together.Add(loaders)
	var first sync.Map
	k.loaded = func(string, load.Options, *load.Stats) error {
		if _, again := first.LoadOrStore(unix.Gettid(), true); !again {
			together.Done()
		}
		together.Wait()
		return nil
	}
	var recorder memory
	b := New(Plan{Repeat: 50, Warmup: 2, Parallel: loaders}, k.programs(2), &recorder)
	if err := b.Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(k.loads) != 104 || len(recorder.samples) != 100 {
		t.Errorf("%d loads, %d samples", len(k.loads), len(recorder.samples))
	}
	count, seen := map[string]int{}, map[int]bool{}
	for i, s := range recorder.samples {
		count[s.Name]++
		seen[s.Loader] = true
		if i > 0 && s.TimeUnixNS < recorder.samples[i-1].TimeUnixNS {
			t.Errorf("sample %d was taken ahead of the one before", i)
		}
	}
	if count["p0"] != 50 || count["p1"] != 50 || len(seen) != loaders || len(k.threads) != loaders || k.most != loaders {
		t.Errorf("samples %v by loaders %v on threads %v, %d at once", count, seen, k.threads, k.most)
	}
}

func TestPinned(t *testing.T) {
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !may.IsSet(cpu) {
		cpu++
	}
	k := &kernel{t: t}
	k.loaded = func(string, load.Options, *load.Stats) error {
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() != 1 || !set.IsSet(cpu) {
			return fmt.Errorf("affinity of %d CPUs (%w)", set.Count(), err)
		}
		return nil
	}
	b := New(Plan{Repeat: 3, Parallel: 2, CPUs: []int{cpu}}, k.programs(1), &memory{})
	if err := errors.Join(b.Bare(t.Context()), b.Failed()[0]); err != nil {
		t.Error(err)
	}
	var after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != may {
		t.Errorf("this thread was pinned: %v", err)
	}

	b = New(Plan{Repeat: 3, Parallel: 2, CPUs: []int{cpu, 1000}}, k.programs(1), &memory{})
	err := b.Bare(t.Context())
	if pin, ok := errors.AsType[*PinError](err); !ok || pin.CPU != 1000 {
		t.Errorf("CPU 1000: %v", err)
	}
}

// What cannot be prepared has no samples, what fails amid a load no further ones; the
// others have all of theirs.
func TestFailures(t *testing.T) {
	k := &kernel{t: t}
	broken := errors.New("log without statistics")
	k.loaded = func(name string, _ load.Options, s *load.Stats) error {
		if name == "p1" {
			return broken
		}
		s.Errno = unix.EACCES
		s.Log = "0: (95) exit\nR0 !read_ok\n\nVerification failed: Register Type Safety: Unreadable register\n\nSuggestion:\n" +
			"  Initialize R0 on every path before this instruction.\n\nprocessed 1 insns (limit 1000000) max_states_per_insn 0\n"
		return nil
	}
	programs := k.programs(3)
	programs[0].(*fakeProgram).failure = errors.New("no such kfunc")
	var recorder memory
	loaded := 0
	b := New(Plan{Repeat: 3, Warmup: 1, Parallel: 1, Loaded: func() { loaded++ }}, programs, &recorder)
	if err := b.Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if failed := b.Failed(); len(failed) != 1 || !errors.Is(failed[1], broken) {
		t.Errorf("failed: %v", failed)
	}
	if len(recorder.programs) != 3 || recorder.programs[0].Failure != "no such kfunc" || recorder.programs[1].Failure != "" {
		t.Errorf("programs: %+v", recorder.programs)
	}
	if len(recorder.samples) != 3 || len(k.loads) != 5 || loaded != 12 {
		t.Errorf("%d samples of %d loads, %d told, want 3 of 5, 12", len(recorder.samples), len(k.loads), loaded)
	}
	for _, s := range recorder.samples {
		if s.Program != 2 || s.Verdict != record.VerdictRejected || s.Errno != int(unix.EACCES) || s.Reason != "R0 !read_ok" {
			t.Errorf("%+v", s)
		}
	}
}

// A log that does not fit is no verdict: the load is made again with a larger one, and
// counts once.
func TestGrowLog(t *testing.T) {
	for _, c := range []struct {
		needs, want int // bytes of the log, loads
		grow        bool
		verdict     record.Verdict
	}{
		{1 << 10, 1, true, record.VerdictAccepted},
		{1 << 20, 2, true, record.VerdictAccepted},
		{1 << 30, 7, true, record.VerdictRejected}, // more than the kernel takes
		{1 << 20, 1, false, record.VerdictRejected},
	} {
		k := &kernel{t: t}
		k.loaded = func(_ string, o load.Options, s *load.Stats) error {
			if o.LogSize < c.needs {
				s.Errno = unix.ENOSPC
			}
			return nil
		}
		var recorder memory
		plan := Plan{Repeat: 1, Parallel: 1, Options: load.Options{LogSize: 1 << 18}, GrowLog: c.grow}
		if err := New(plan, k.programs(1), &recorder).Bare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(k.loads) != c.want || len(recorder.samples) != 1 || recorder.samples[0].Verdict != c.verdict {
			t.Errorf("a log of %d bytes: %d loads, samples %+v", c.needs, len(k.loads), recorder.samples)
		}
	}
}

// A bench of single loads keeps the order, and no more programs prepared than it needs.
func TestSingleLoads(t *testing.T) {
	k := &kernel{t: t}
	var recorder memory
	b := New(Plan{Repeat: 1, Parallel: 1}, k.programs(5*maxLeg+1), &recorder)
	if err := b.Bare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(recorder.samples) != 5*maxLeg+1 || k.mostOpen > maxLeg || k.open != 0 {
		t.Errorf("%d samples, %d programs prepared at once, %d still", len(recorder.samples), k.mostOpen, k.open)
	}
	for i, name := range k.loads {
		if want := fmt.Sprintf("p%d", i); name != want {
			t.Fatalf("load %d is of %s, want %s", i, name, want)
		}
	}
}

// When ctx ends, the bench does not wait for loads that are being made, and records the
// samples that it has.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	k := &kernel{t: t}
	release := make(chan struct{})
	defer close(release)
	k.loaded = func(string, load.Options, *load.Stats) error {
		k.mu.Lock()
		n := len(k.loads)
		k.mu.Unlock()
		if n == 4 {
			cancel()
			<-release
		}
		return nil
	}
	var recorder memory
	b := New(Plan{Repeat: 10, Parallel: 1}, k.programs(2), &recorder)
	if err := b.Bare(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(recorder.samples) != 3 {
		t.Errorf("%d samples, want the 3 that were complete", len(recorder.samples))
	}
	if err := b.Close(); err != nil || k.open != 1 {
		t.Errorf("%d programs open, want the one that is being loaded: %v", k.open, err)
	}
}

func TestSinkFails(t *testing.T) {
	k := &kernel{t: t}
	recorder := memory{err: os.ErrClosed}
	b := New(Plan{Repeat: 3, Parallel: 1}, k.programs(2), &recorder)
	if err := b.Bare(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if len(recorder.programs) != 1 || len(k.loads) != 0 {
		t.Errorf("%d programs, %d loads after the first write failed", len(recorder.programs), len(k.loads))
	}
	if err := b.Close(); err != nil || k.open != 0 {
		t.Errorf("%d programs open: %v", k.open, err)
	}
}

func TestLegs(t *testing.T) {
	for _, c := range []struct{ parallel, programs, logSize, want int }{
		{1, 1, 0, 1},
		{1, 5, 0, 5},
		{1, 500, 0, maxLeg},
		{1, 500, maxLogs / 4, 4},
		{1, 500, 2 * maxLogs, 1},
		{4, 1, 0, 32},
		{4, 5, 0, 35},
		{4, 500, 0, maxLeg},
		{16, 500, 0, 128},
	} {
		p := Plan{Parallel: c.parallel, Options: load.Options{LogSize: c.logSize}}
		if got := p.leg(c.programs); got != c.want {
			t.Errorf("%+v: legs of %d", c, got)
		}
	}
}
