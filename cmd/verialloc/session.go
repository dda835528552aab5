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

	"github.com/verialloc/verialloc/exporter"
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

	stop    context.CancelFunc // ends the tracing
	ended   chan error         // what waitCommand returned
	failed  error              // the first write of the feed that did not succeed
	inexact bool               // a record shown was not whole
}

// trace makes sure of all that can be wrong with the arguments, then traces, and
// the command of the arguments with it.
func (a *app) trace(ctx context.Context, o *traceOptions, args []string) (err error) {
	s := &session{app: a, options: o, ended: make(chan error, 1)}
	if s.command, err = findCommand(args, a.stdout, a.stderr, o.output != ""); err != nil {
		return err
	}
	if s.out, err = openOutput(o.output, a.stdout); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, outputFailure(s.out.close())) }()
	if s.ready, err = prepareReady(o.readyFile); err != nil {
		return err
	}
	defer s.ready.discard()
	s.feed = o.feedTo(s.out)

	err = s.run(ctx)
	return cmp.Or(err, s.await())
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

	src, err := s.open(tracing, s.config())
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	err = s.start(ctx, src)
	if err == nil {
		err = s.drain(src)
	}
	summary := src.Summary()
	err = cmp.Or(err, src.Close())
	s.written(func() error { return s.feed.End(&summary) })
	// Nobody is left to tell that people cannot be told.
	_ = exporter.WriteSummary(s.stderr, &summary)
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
		s.log().Warn().Msg(exporter.LossText(&r))
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
func (s *session) start(ctx context.Context, src source) error {
	environment := src.Environment()
	_ = exporter.WriteEnvironment(s.stderr, &environment)
	s.written(s.out.begin)
	s.written(func() error { return s.feed.Begin(&environment) })
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
	go func() {
		s.ended <- waitCommand(ctx, s.command)
		s.stop()
	}()
	return nil
}

// drain writes each verification until there is no more, enough were shown or
// the feed fails.
func (s *session) drain(src source) error {
	shown := uint64(0)
	for v, err := range src.Verifications() {
		if err != nil {
			return fmt.Errorf("trace: %w", err)
		}
		s.written(func() error { return s.feed.Verification(v) })
		s.inexact = s.inexact || !whole(v)
		shown++
		if s.failed != nil || shown == s.options.count {
			return nil
		}
	}
	return nil
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
		case record.LossStarts, record.LossMapFull, record.LossOrphans:
			return l.Count > 0
		default:
			return false
		}
	})
}
