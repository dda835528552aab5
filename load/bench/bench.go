package bench

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/verifierlog"
)

// Recorder takes down the results of a bench. Its methods are called while no load is
// being made, by one goroutine at a time. The first error ends the bench.
type Recorder interface {
	// Program is called before Sample is called for the program.
	Program(*record.Program) error
	// Environment is called before the first traced sample.
	Environment(*record.Environment) error
	// Sample is called in the order in which samples were taken, except for traced samples
	// whose record was late: they come last.
	Sample(*record.Sample) error
}

// Bench loads programs as a plan says.
type Bench struct {
	plan     Plan
	programs []load.Subject
	known    []record.Program // as Recorder.Program was given them; empty before
	recorder Recorder
	random   *rand.Rand

	prepared []load.Prepared // by index; nil: not yet, not any more, or not possible
	left     []int           // loads still to make, by index
	failed   []error         // why the loads of a program ended early, by index
	comm     string
	late     []result // traced loads whose record has not come yet
	samples  uint64
}

// New returns a bench of the programs. The ID of each becomes its index.
func New(plan Plan, programs []load.Subject, recorder Recorder) *Bench {
	b := &Bench{
		plan: plan, programs: slices.Clone(programs), recorder: recorder, comm: newComm(),
		random:   rand.New(rand.NewPCG(plan.Seed, plan.Seed)),
		prepared: make([]load.Prepared, len(programs)),
		left:     make([]int, len(programs)),
		failed:   make([]error, len(programs)),
		known:    make([]record.Program, len(programs)),
	}
	for i := range b.programs {
		b.left[i] = plan.Loads(1)
	}
	return b
}

// Samples returns how many samples the recorder was given.
func (b *Bench) Samples() uint64 { return b.samples }

// Failed returns, by program, why the bench stopped loading a program that it could
// prepare, such as a log of the kernel that cannot be read.
func (b *Bench) Failed() map[int]error {
	failed := map[int]error{}
	for i, err := range b.failed {
		if err != nil {
			failed[i] = err
		}
	}
	return failed
}

// Close releases the prepared programs, except those that are still being loaded because
// ctx ended the bench.
func (b *Bench) Close() error {
	var errs []error
	for i, p := range b.prepared {
		if p != nil {
			errs = append(errs, p.Close())
			b.prepared[i] = nil
		}
	}
	return errors.Join(errs...)
}

// Bare takes the bare samples. Once ctx is done it begins no load, does not wait for the
// loads that are being made, and returns the error of ctx. Other errors are those of the
// recorder, and of a loader that cannot be set up.
func (b *Bench) Bare(ctx context.Context) error {
	jobs := b.plan.rounds(b.random, len(b.programs), b.plan.Repeat)
	if len(jobs) == 0 {
		return nil
	}
	if b.plan.Options.LogSize == 0 {
		// Garbage is collected at the end of each leg. Logs that were asked for may need
		// too much memory to wait for that; no time is measured then.
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
	}
	return b.run(ctx, jobs, crew{mode: record.ModeBare, open: b.plan.Counters})
}

// crew is what the loaders of a mode have in common.
type crew struct {
	mode  record.SampleMode
	comm  string
	open  func() *load.Counters
	await *matcher
}

// run makes loads by a crew of loaders, leg by leg, and gives the recorder the samples of
// each leg.
func (b *Bench) run(ctx context.Context, jobs []job, c crew) error {
	pending := make(chan assignment)
	results := make(chan result, b.plan.Parallel) // room for the loads that nobody waits for
	wait, err := b.hire(c, pending, results)
	if err != nil {
		return err
	}
	if b.plan.Loads(1) > 1 {
		// All programs are needed throughout. With a single load of each, those of one leg
		// are enough at a time.
		err = b.prepare(ctx, len(b.programs), func(i int) int { return i })
	}
	for leg := range slices.Chunk(jobs, b.plan.leg(len(b.programs))) {
		if err != nil {
			break
		}
		err = b.leg(ctx, leg, c, pending, results)
	}
	close(pending)
	if ctx.Err() == nil {
		wait()
	}
	return err
}

// hire starts the loaders. They end once pending is closed; wait returns when all have
// ended.
func (b *Bench) hire(c crew, pending chan assignment, results chan<- result) (wait func(), err error) {
	var loaders sync.WaitGroup
	ready := make(chan error, b.plan.Parallel)
	for number := range b.plan.Parallel {
		l := &loader{
			number: number, comm: c.comm, cpu: -1,
			options: b.plan.Options, growLog: b.plan.GrowLog, open: c.open, await: c.await,
			work: pending, results: results,
		}
		if len(b.plan.CPUs) > 0 {
			l.cpu = b.plan.CPUs[number%len(b.plan.CPUs)]
		}
		loaders.Go(func() { l.run(ready) })
	}
	for range b.plan.Parallel {
		err = cmp.Or(err, <-ready)
	}
	if err != nil {
		close(pending)
		loaders.Wait()
		return nil, err
	}
	return loaders.Wait, nil
}

// leg makes the loads of a leg. When all loaders are idle it gives the recorder their
// samples; once ctx is done, the samples of the loads that have ended.
func (b *Bench) leg(ctx context.Context, leg []job, c crew, pending chan<- assignment, results <-chan result) error {
	if err := b.prepare(ctx, len(leg), func(i int) int { return leg[i].program }); err != nil {
		return err
	}
	runtime.GC()
	var taken []result
	atWork := map[int]int{} // loads being made, by program
	for busy := 0; ctx.Err() == nil && (len(leg) > 0 || busy > 0); {
		var idle chan<- assignment // nil while no loader is idle
		var next assignment
		if len(leg) > 0 && busy < b.plan.Parallel {
			next = assignment{leg[0], b.prepared[leg[0].program]}
			if next.prepared == nil || b.failed[next.program] != nil {
				leg = leg[1:]
				b.loaded(next.job)
				continue
			}
			idle = pending
		}
		select {
		case idle <- next:
			leg = leg[1:]
			busy++
			atWork[next.program]++
		case r := <-results:
			busy--
			atWork[r.program]--
			if r.err != nil {
				b.failed[r.program] = cmp.Or(b.failed[r.program], r.err)
			} else {
				taken = append(taken, r)
			}
			b.loaded(r.job)
		case <-ctx.Done():
		}
	}
	for program, n := range atWork {
		if n > 0 {
			b.prepared[program] = nil // in use until the process ends
		}
	}
	if err := b.give(taken, c); err != nil {
		return err
	}
	return cmp.Or(ctx.Err(), b.release())
}

// loaded counts a load that was made or skipped.
func (b *Bench) loaded(j job) {
	b.left[j.program]--
	if b.plan.Loaded != nil {
		b.plan.Loaded()
	}
}

// prepare prepares n programs, unless they are prepared, and gives each to the recorder.
func (b *Bench) prepare(ctx context.Context, n int, at func(int) int) error {
	for i := range n {
		program := at(i)
		known := &b.known[program]
		if known.Kind != "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		prepared, err := b.programs[program].Prepare()
		*known = b.programs[program].Describe()
		known.Head, known.ID = record.NewHead(record.KindProgram), program
		if err != nil {
			known.Failure = err.Error()
		} else {
			b.prepared[program] = prepared
		}
		if err := b.recorder.Program(known); err != nil {
			return err
		}
	}
	return nil
}

// release closes the programs whose loads have all been made.
func (b *Bench) release() error {
	var errs []error
	for i, left := range b.left {
		if left <= 0 && b.prepared[i] != nil {
			errs = append(errs, b.prepared[i].Close())
			b.prepared[i] = nil
		}
	}
	return errors.Join(errs...)
}

// give gives the recorder the samples of counted loads, in the order in which the loads
// began. It keeps traced loads whose record has not come for later.
func (b *Bench) give(taken []result, c crew) error {
	slices.SortStableFunc(taken, func(x, y result) int { return x.start.Compare(y.start) })
	for _, r := range taken {
		var traced *record.Verification
		if c.await != nil {
			traced = c.await.take(r)
		}
		if r.round < 0 {
			continue
		}
		if traced == nil && c.await != nil {
			b.late = append(b.late, r)
			continue
		}
		sample := b.sample(r, c.mode)
		sample.Traced = traced
		b.samples++
		if b.plan.Logged != nil && c.mode == record.ModeBare {
			b.plan.Logged(&b.known[r.program], sample, r.stats.Log)
		}
		if err := b.recorder.Sample(sample); err != nil {
			return err
		}
	}
	return nil
}

// sample is the record of a load.
func (b *Bench) sample(r result, mode record.SampleMode) *record.Sample {
	program, stats := &b.known[r.program], &r.stats
	inputs := stats.Inputs
	if mode == record.ModeTraced {
		inputs = nil // the tracer's record has them
	}
	return &record.Sample{
		Inputs:     inputs,
		Head:       record.NewHead(record.KindSample),
		TimeUnixNS: r.start.UnixNano(),
		Program:    program.ID,
		File:       program.File,
		Name:       program.Name,
		Mode:       mode,
		Round:      r.round,
		Loader:     r.loader,

		Verdict:  verdict(stats.Errno),
		Errno:    int(stats.Errno),
		Reason:   reason(stats),
		Restarts: stats.Restarts,

		VerifierStats: record.VerifierStats{
			VerifierTimeNS:      uint64(stats.VerificationTime),
			SyscallNS:           uint64(stats.Wall),
			InsnsProcessed:      uint64(stats.InsnsProcessed),
			TotalStates:         uint64(stats.TotalStates),
			PeakStates:          uint64(stats.PeakStates),
			MaxStatesPerInsn:    uint64(stats.MaxStatesPerInsn),
			LongestMarkReadWalk: uint64(stats.MarkRead),
			MaxStackDepth:       bytes(stats.MaxStackDepth),
			Functions:           stats.Functions,
		},
		StackDepth:    uint64(stats.Stack()),
		ProgSize:      uint64(stats.ProgSize),
		ProgSizeJited: uint64(stats.ProgSizeJited),
		Counters:      stats.Counters,
	}
}

// bytes is a number that may not be known.
func bytes(n *int) *uint64 {
	if n == nil {
		return nil
	}
	known := uint64(*n)
	return &known
}

// reason is why the load was not accepted, in the verifier's words.
func reason(stats *load.Stats) string {
	if stats.Errno == 0 {
		return ""
	}
	return verifierlog.Reason(stats.Log, stats.LogCut)
}

func verdict(errno unix.Errno) record.Verdict {
	switch errno {
	case 0:
		return record.VerdictAccepted
	case unix.EAGAIN:
		return record.VerdictRestarted
	default:
		return record.VerdictRejected
	}
}
