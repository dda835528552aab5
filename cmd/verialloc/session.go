package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/verialloc/verialloc/exporter/view/table"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// source is what a trace reads: a *tracer.Tracer, or a test's.
type source interface {
	Environment() record.Environment
	Verifications() iter.Seq2[*record.Verification, error]
	Summary() record.Summary
	Close() error
}

// feed is where the records of a trace go.
type feed interface {
	Begin(*record.Environment) error
	Verification(*record.Verification) error
	Event(*record.Event) error
	Loss(*record.LossReport) error
	End(*record.Summary) error
}

// session is one run of trace.
type session struct {
	*app
	options *traceOptions
	command *exec.Cmd // nil: none
	out     *output
	ready   *readyFile
	feed    feed

	warner *lossWarner

	stop    context.CancelFunc // ends the tracing
	ended   chan error         // what waitCommand returned
	failed  error              // the first write of the feed that did not succeed
	inexact bool               // a record shown was not whole
	blind   int                // records shown of which other tasks' use of BPF may have hidden events
}

// trace makes sure of all that can be wrong with the arguments, then traces, and
// the command of the arguments with it.
func (a *app) trace(ctx context.Context, o *traceOptions, args []string) (err error) {
	s := &session{app: a, options: o, ended: make(chan error, 1)}
	if s.command, err = findCommand(args, a.stdout, a.stderr, o.output != ""); err != nil {
		return err
	}
	if s.out, err = openOutput(o.output, a.stdout); err != nil {
		return s.notStarted(err)
	}
	defer func() { err = cmp.Or(err, outputFailure(s.out.close())) }()
	if s.ready, err = prepareReady(o.readyFile, s.out); err != nil {
		return err
	}
	defer s.ready.discard()
	s.feed = o.feedTo(s.out)

	err = s.run(ctx)
	if s.failed != nil {
		return s.notStarted(err)
	}
	return cmp.Or(err, s.await())
}

// notStarted says of a failure of the output that it kept the command from being
// started. A reader that went away is one then: its command did not run.
func (s *session) notStarted(err error) error {
	if s.command == nil || s.command.Process != nil {
		return cmp.Or(err, s.await())
	}
	return outputError{fmt.Errorf("%w: the command was not started", cmp.Or(err, s.failed))}
}

// run traces from the first probe to the summary. The probes are gone when it
// returns; a command that was started may still run.
func (s *session) run(ctx context.Context) error {
	// A command gets the terminal's signals itself and decides when it ends.
	tracing := ctx
	if s.command != nil {
		tracing = context.WithoutCancel(ctx)
	}
	tracing, s.stop = context.WithCancel(tracing)
	defer s.stop()

	s.warner = &lossWarner{warn: func(text string) { s.log().Warn().Msg(text) }}
	src, err := s.open(tracing, s.config())
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	environment := src.Environment()
	if err := s.latencyServed(&environment); err != nil {
		return cmp.Or(err, src.Close())
	}
	s.warner.ringBytes = environment.RingBytes
	err = s.start(ctx, &environment)
	if err == nil {
		err = s.drain(src)
	}
	summary := src.Summary()
	err = cmp.Or(err, src.Close())
	s.warner.flush()
	s.tellBlind()
	s.written(func() error { return s.feed.End(&summary) })
	// Nobody is left to tell that people cannot be told.
	_ = table.WriteSummary(s.stderr, &summary)
	err = cmp.Or(err, outputFailure(s.failed))
	if err == nil && s.options.strict && (s.inexact || loadsMissing(&summary)) {
		return errInexact
	}
	return err
}

// config is the tracer's configuration for the flags.
func (s *session) config() tracer.Config {
	config := s.options.config
	config.RingBytes = int(s.options.ring)
	config.Latency = tracer.LatencyMode(s.options.latency.value)
	config.Select.Type = strings.ToLower(config.Select.Type)
	config.Follow = s.command != nil
	config.OnLoss = func(r record.LossReport) {
		s.warner.tell(r)
		s.written(func() error { return s.feed.Loss(&r) })
	}
	if s.options.events {
		config.OnEvent = func(e *record.Event) {
			s.written(func() error { return s.feed.Event(e) })
		}
	}
	return config
}

// start does what waits for the probes to be live.
func (s *session) start(ctx context.Context, environment *record.Environment) error {
	_ = table.WriteEnvironment(s.stderr, environment)
	s.written(s.out.begin)
	s.written(func() error { return s.feed.Begin(environment) })
	if s.failed != nil {
		return nil // as run tells
	}
	if err := s.ready.write(); err != nil {
		return err
	}
	if s.options.duration > 0 {
		time.AfterFunc(s.options.duration, s.stop)
	}
	if s.command == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the command was not started: %w", context.Cause(ctx))
	}
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start the command: %w", err)
	}
	waiting := s.tellWaiting(ctx)
	go func() {
		err := waitCommand(ctx, s.command)
		waiting()
		s.ended <- err
		s.stop()
	}()
	return nil
}

// waitingAfter is how long a command may take to end by the signal that it has
// got before people are told who is waited for.
const waitingAfter = 200 * time.Millisecond

// tellWaiting tells people why a signal has not ended verialloc, if it has not,
// until it is called off.
func (s *session) tellWaiting(ctx context.Context) (off func()) {
	ended, end := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-ended.Done():
		case <-time.After(waitingAfter):
			s.log().Info().Msgf("%v: waiting for COMMAND; a second signal ends verialloc at once", context.Cause(ctx))
		}
	})
	return func() {
		stop()
		end()
	}
}

// latencyServed returns why a means of timing that was asked for by its name
// times nothing.
func (s *session) latencyServed(e *record.Environment) error {
	mode := s.options.latency.value
	if mode != string(tracer.LatencyFentry) && mode != string(tracer.LatencyKprobe) || e.Latency != table.NoLatency {
		return nil
	}
	why := "nothing times the allocator"
	for _, sentence := range e.Missing {
		if rest, ok := strings.CutPrefix(sentence, "latency: "); ok {
			why = rest
			break
		}
	}
	return fmt.Errorf("--latency %s: %w: %s", mode, tracer.ErrUnsupported, why)
}

// drain writes each verification until there is no more, enough were shown or
// the feed fails.
func (s *session) drain(src source) error {
	shown := 0
	for v, err := range src.Verifications() {
		if err != nil {
			return fmt.Errorf("trace: %w", err)
		}
		s.written(func() error { return s.feed.Verification(v) })
		s.inexact = s.inexact || !whole(v)
		if slices.ContainsFunc(v.Lossy, func(l record.Loss) bool { return l.Reason == record.LossBlind }) {
			s.blind++
		}
		shown++
		if s.failed != nil || shown == s.options.count.value {
			return nil
		}
	}
	return nil
}

// tellBlind tells people what to do about blind slices.
func (s *session) tellBlind() {
	if s.blind > 0 {
		s.log().Warn().Msgf("not exact: %d, for other tasks update BPF maps on the same CPU: "+
			"trace again, or keep the loader on a CPU of its own", s.blind)
	}
}

// written does a write of the feed unless one has failed. The first that fails
// ends the tracing.
func (s *session) written(write func() error) {
	if s.failed != nil {
		return
	}
	if s.failed = write(); s.failed != nil {
		s.stop()
	}
}

// await waits for a command that was started, and returns what waitCommand does.
func (s *session) await() error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	select {
	case err := <-s.ended:
		return err
	default:
		s.log().Info().Msg("the tracing has ended; waiting for the command")
		return <-s.ended
	}
}

// whole reports whether all there was to see of a load is in its record. Where
// nothing was verified, there was nothing to see.
func whole(v *record.Verification) bool {
	return v.Exact || !v.ReachedVerifier && len(v.Lossy) == 0
}

// loadsMissing reports whether there were loads that have no record.
func loadsMissing(s *record.Summary) bool {
	return slices.ContainsFunc(s.Losses, func(l record.Loss) bool {
		switch l.Reason {
		case record.LossStarts, record.LossLoadsFull, record.LossTasksFull, record.LossOrphans:
			return l.Count > 0
		default:
			return false
		}
	})
}
