package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/feed"
	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/bench"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// benchRun is one run of bench that loads programs.
type benchRun struct {
	*app
	options *benchOptions
	out     *lateOutput
	result  *recording.Writer
	ending  record.End // what is known of it
	bench   *bench.Bench
	bar     *progressbar.ProgressBar // nil: none

	rejected    map[int]bool // programs by id
	rejections  []string     // why; one for each program
	untraced    error        // why the tracer could not be opened
	writeFailed error        // the first write that failed
}

// bench loads what the arguments name as the flags say.
func (a *app) bench(ctx context.Context, o *benchOptions, args []string) (err error) {
	if err := a.lab.Permitted(); err != nil {
		return err
	}
	if err := a.findFiles(o, args); err != nil {
		return err
	}
	out, err := a.openOutput(ctx, o.output)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, out.close()) }()
	a.confine(untilBegun(benchLimits(), out))
	collected, err := a.collect(o, args)
	if err != nil {
		return err
	}
	r := &benchRun{app: a, options: o, out: &lateOutput{output: out}, rejected: map[int]bool{}}
	if err := r.begin(collected); err != nil {
		return err
	}
	memory, err := r.measureMemory()
	if err != nil {
		return err
	}
	r.bench = bench.New(r.plan(memory, len(collected.programs)), collected.programs, r.result)
	err = r.take(ctx)
	err = errors.Join(err, r.bench.Close(), memory.Leave())
	return r.end(ctx, collected, err)
}

// begin makes ready to take down the result.
func (r *benchRun) begin(c *collection) error {
	o := r.options
	m, err := r.lab.Machine()
	if err != nil {
		return fmt.Errorf("describe the machine: %w", err)
	}
	if !o.seed.given {
		o.seed.value = rand.Uint64N(1 << seedBits)
	}
	m.TimeUnixNS = time.Now().UnixNano()
	m.Version = tracer.Version()
	m.CommandLine = append([]string{"verialloc"}, r.args...)
	m.Seed, m.Parallel = o.seed.value, o.parallel.value
	m.Repeat, m.Warmup, m.Traced = o.repeat.value, int(o.warmup), int(o.traced)
	m.CPUList = append([]int{}, o.cpus...)
	if o.format.value == "jsonl" {
		r.result = recording.NewWriter(m, jsonl.New(r.out))
	} else {
		r.result = recording.NewWriter(m, nil)
	}
	if o.format.value == "table" && !o.quiet {
		for _, file := range c.files {
			r.out.preamble += fmt.Sprintf("Processing '%s'...\n", text.Escape(file)) // as veristat
		}
	}
	return nil
}

// measureMemory enters a control group where the result has a place for memory.
func (r *benchRun) measureMemory() (*load.Cgroup, error) {
	o := r.options
	switch {
	case o.plain() && !r.showsMemory():
		return load.NoCgroup("not asked for"), nil
	case o.parallel.value > 1:
		return load.NoCgroup("several loaders share the control group: --parallel 1"), nil
	default:
		return r.lab.Memory(), nil
	}
}

// showsMemory reports whether rows of veristat's stats have the peak of memory.
func (r *benchRun) showsMemory() bool {
	v := &r.options.view
	isMemory := func(k veristat.Key) bool { return k.Stat == veristat.MemPeak }
	return len(v.Emit) == 0 && r.options.format.value == "csv" ||
		slices.ContainsFunc(v.Emit, isMemory) || slices.ContainsFunc(v.Sort, isMemory) ||
		slices.ContainsFunc(v.Filters, func(f veristat.Filter) bool { return f.Selector.Stat == veristat.MemPeak })
}

func (r *benchRun) plan(memory *load.Cgroup, programs int) bench.Plan {
	o := r.options
	plan := bench.Plan{
		Repeat: o.repeat.value, Traced: int(o.traced), Warmup: int(o.warmup),
		Parallel: o.parallel.value, CPUs: o.cpus, Seed: o.seed.value,
		Options: o.load(), GrowLog: o.logs() && o.logSize == 0, Logged: r.logged,
	}
	if !o.plain() || r.showsMemory() {
		plan.Counters = func() *load.Counters { return r.lab.Counters(memory) }
	}
	if isTerminal(r.stderr) && !o.quiet && !r.writesAmid() {
		r.bar = newBar(r.say, plan.Loads(programs))
		plan.Loaded = func() { _ = r.bar.Add(1) }
	}
	return plan
}

// writesAmid reports whether loads come between what is written to a terminal, where a
// progress bar would stand in its lines.
func (r *benchRun) writesAmid() bool {
	return isTerminal(r.out.under) && (r.options.format.value == "jsonl" || r.options.logs())
}

// take takes the samples.
func (r *benchRun) take(ctx context.Context) error {
	if r.bar != nil {
		defer func() { _ = r.bar.Clear() }() // nobody reads its error
	}
	err := r.bench.Bare(ctx)
	if err != nil || r.options.traced == 0 {
		return err
	}
	return r.takeTraced(ctx)
}

// takeTraced takes the traced samples. That nothing can be traced is no error here.
func (r *benchRun) takeTraced(ctx context.Context) error {
	source, err := r.open(tracer.Config{
		IncludeSelf:  true,
		Comm:         r.bench.Comm(),
		RingBytes:    int(r.options.ring),
		HighPriority: true,
	})
	if err != nil {
		r.untraced = err
		return nil
	}
	warner := &lossWarner{
		warn: func(text string) { r.log().Warn().Msg(text) },
		note: func(text string) { r.log().Info().Msg(text) },
	}
	return errors.Join(r.bench.Traced(ctx, warned{source, warner}), source.Close())
}

// warned is a source that warns people of its losses.
type warned struct {
	source
	warner *lossWarner
}

func (w warned) Run(ctx context.Context, sink record.Sink) error {
	return w.source.Run(ctx, feed.Fan{{Name: "take traced samples", Sink: sink}, {Name: "warn of losses", Sink: w.warner}})
}

// end writes what is written last, whatever ended the bench, and returns its error.
func (r *benchRun) end(ctx context.Context, c *collection, err error) error {
	cause, interrupted := errors.AsType[signalled](context.Cause(ctx))
	if pin, ok := errors.AsType[*bench.PinError](err); ok {
		return usagef("--cpu: %w", pin)
	}
	failed := r.bench.Failed()
	r.ending.Interrupted = err != nil || len(failed) > 0
	lost := r.bench.Untraced()
	switch {
	case r.untraced != nil:
		r.ending.TracedAbsent = r.untraced.Error()
	case lost > 0:
		r.ending.TracedAbsent = fmt.Sprintf("the tracer's records of %d loads were lost: give a larger --ring-size", lost)
		r.ending.Interrupted = true
	}
	r.complain(failed)
	writeErr := cmp.Or(r.result.Err(), r.writeFailed)
	if nothing := err != nil && r.bench.Samples() == 0 && !r.out.begun; writeErr == nil && !nothing {
		writeErr = r.write(c, failed)
	}
	switch {
	case writeErr != nil:
		return r.out.failure(writeErr)
	case interrupted && err != nil:
		r.log().Warn().Msgf("%v: %d samples were taken, fewer than asked for", cause, r.bench.Samples())
		if number, ok := cause.Signal.(syscall.Signal); ok {
			return commandExit(signalBase + int(number))
		}
		return err
	case err != nil:
		return fmt.Errorf("bench: %w", err)
	case r.untraced != nil && r.options.tracedSet:
		return fmt.Errorf("--traced: %w", r.untraced)
	case len(failed) > 0:
		return errors.New("bench: loads were given up: see above")
	case lost > 0:
		return errors.New("bench: " + r.ending.TracedAbsent)
	default:
		return c.failure()
	}
}

// complain logs what went wrong with programs and with the tracer: a table has no place for
// it.
func (r *benchRun) complain(failed map[int]error) {
	if r.options.quiet {
		return
	}
	for _, p := range r.result.Recording().Programs {
		if p.Failure != "" {
			r.log().Warn().Msgf("%s/%s cannot be loaded: %s", p.File, p.Name, p.Failure)
		}
		if err := failed[p.ID]; err != nil {
			r.log().Error().Msgf("%s/%s: no further loads: %v", p.File, p.Name, err)
		}
	}
	for _, reason := range r.rejections {
		r.log().Warn().Msg(reason)
	}
	if absent := r.ending.TracedAbsent; absent != "" {
		r.log().Warn().Msg("traced samples are missing: " + absent)
	}
}

// newBar returns a progress bar for a number of loads. It draws when a load is added,
// while that load's loader is idle, and at no other time.
func newBar(w io.Writer, loads int) *progressbar.ProgressBar {
	return progressbar.NewOptions(loads,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("loads"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(false),
	)
}
