package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/files"
	"github.com/verialloc/verialloc/cmd/verialloc/internal/ready"
	"github.com/verialloc/verialloc/exporter/view/table"
	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// source is a tracer whose probes are live: a *tracer.Tracer, or a test's.
type source interface {
	Run(context.Context, record.Sink) error
	Close() error
}

// session is one run of trace, and the sink of its tracer.
type session struct {
	*app
	options *traceOptions
	command *exec.Cmd // nil: none
	family  *family   // of the command; nil: not known
	out     *output
	ready   *ready.File
	feed    record.Sink
	warner  *lossWarner

	signals context.Context    // of the whole program
	tracing context.Context    // done once the tracing is to end
	stop    context.CancelFunc // ends the tracing
	waited  chan struct{}      // closed once the command has ended
	ended   chan error         // what waitCommand returned, once that is all
	begun   bool               // the environment was shown
	failed  error              // the first write of the feed that did not succeed
	shown   int                // records
	missing bool               // there were loads that have no record
	inexact bool               // a record shown was not whole
	blind   int                // records shown of which other tasks' use of BPF may have hidden events
}

// trace makes sure of all that can be wrong with the arguments, then traces, and
// the command of the arguments with it.
func (a *app) trace(ctx context.Context, o *traceOptions, args []string) (err error) {
	s := &session{app: a, options: o, waited: make(chan struct{}), ended: make(chan error, 1)}
	if s.command, err = findCommand(args, a.stdout, a.stderr, o.output != ""); err != nil {
		return err
	}
	if s.out, err = a.openOutput(ctx, o.output); err != nil {
		return s.notStarted(err)
	}
	defer func() { err = cmp.Or(err, s.out.close()) }()
	if s.ready, err = prepareReady(o.readyFile, s.out); err != nil {
		return err
	}
	defer s.ready.Discard()
	s.feed = o.feedTo(s.out)

	err = s.run(ctx)
	if s.failed != nil {
		return s.notStarted(err)
	}
	return cmp.Or(err, s.await())
}

// prepareReady prepares the ready file, which must not be the feed.
func prepareReady(name string, feed *output) (*ready.File, error) {
	f, err := ready.Prepare(name, feed.is)
	return f, readyFailure(name, err)
}

// readyFailure names the ready file as it was given, whichever file an error is about.
func readyFailure(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ready.ErrTaken):
		return usagef("--ready-file %s: the feed goes there", name)
	case errors.Is(err, ready.ErrKind):
		return usagef("--ready-file %s: %w", name, err)
	default:
		if link, ok := errors.AsType[*files.LinkError](err); ok {
			return usagef("--ready-file %s: %w", name, link)
		}
		return fmt.Errorf("--ready-file %s: %w", name, err)
	}
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
func (s *session) run(ctx context.Context) (err error) {
	// A command gets the terminal's signals itself and decides when it ends.
	tracing := ctx
	if s.command != nil {
		tracing = context.WithoutCancel(ctx)
	}
	s.tracing, s.stop = context.WithCancel(tracing)
	defer s.stop()

	if s.command != nil && s.foster != nil {
		if s.family, err = s.foster(); err != nil {
			return err
		}
		// exec(2) leaves a process its children.
		if before := s.family.left(); before != "" {
			s.log().Warn().Msgf("verialloc has children already: %s: they are traced and waited for as COMMAND's are", before)
		}
	}
	s.signals, s.warner = ctx, &lossWarner{
		warn: func(text string) { s.log().Warn().Msg(text) },
		note: func(text string) { s.log().Info().Msg(text) },
	}
	src, err := s.open(s.config())
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	err = traceFailure(src.Run(s.tracing, s))
	err = cmp.Or(err, s.out.failure(s.failed), src.Close())
	if err == nil && s.options.strict && (s.inexact || s.missing) {
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
	config.Events = s.options.events
	config.HighPriority = true
	config.Live = func() { s.confine(traceLimits(s.options, s.command != nil)) }
	return config
}

// startError is what kept a trace from starting though the tracer was live.
type startError struct{ error }

func (e startError) Unwrap() error { return e.error }

// traceFailure says of an error that is the tracer's and not the session's own where it
// is from.
func traceFailure(err error) error {
	if _, ok := errors.AsType[startError](err); ok || err == nil {
		return err
	}
	if _, ok := errors.AsType[outputError](err); ok {
		return err
	}
	return fmt.Errorf("trace: %w", err)
}

// Begin does what waits for the probes to be live.
func (s *session) Begin(environment *record.Environment) error {
	if err := cmp.Or(s.latencyServed(environment), s.strictServed(environment)); err != nil {
		return startError{err}
	}
	s.begun = true
	_ = s.warner.Begin(environment) // it does not fail
	_ = table.WriteEnvironment(s.say, environment)
	s.warnReach()
	for _, write := range []func() error{s.out.begin, func() error { return s.feed.Begin(environment) }} {
		if err := cmp.Or(s.written(write), s.out.failure(s.failed)); err != nil {
			return err
		}
	}
	if err := s.ready.Write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		return startError{readyFailure(s.options.readyFile, err)}
	}
	if s.options.duration > 0 {
		s.stopAfter(s.options.duration)
	}
	if s.command == nil {
		return nil
	}
	if err := s.startCommand(); err != nil {
		return startError{err}
	}
	return nil
}

// stopAfter ends a tracing that nothing else has ended by then, also where nobody reads.
func (s *session) stopAfter(d time.Duration) {
	timer := time.AfterFunc(d, func() {
		s.hurry()
		s.stop()
	})
	context.AfterFunc(s.tracing, func() { timer.Stop() })
}

// startCommand starts the command, whose end ends the tracing.
func (s *session) startCommand() error {
	ctx := s.signals
	// A signal is not the end while the command runs.
	if !s.untie() {
		return fmt.Errorf("the command was not started: %w", context.Cause(ctx))
	}
	if err := s.command.Start(); err != nil {
		context.AfterFunc(ctx, s.hurry)
		return fmt.Errorf("start the command: %w", err)
	}
	waiting := s.logWaiting(ctx)
	if s.family != nil {
		go s.family.reap(s.command.Process.Pid, s.waited)
	}
	go func() {
		err := waitCommand(ctx, s.command)
		close(s.waited)
		waiting()
		context.AfterFunc(ctx, s.hurry)
		s.outlived(ctx)
		s.ended <- err
		s.stop()
	}()
	return nil
}

// dying is how long the processes that die with COMMAND are waited for.
const dying = 200 * time.Millisecond

// outlived says which descendants the command left running, if it did. With a duration the
// tracing goes on until they have ended, or it ends otherwise; without, it has to end.
func (s *session) outlived(ctx context.Context) {
	if s.family == nil || s.tracing.Err() != nil {
		return
	}
	// Those that die with COMMAND take a moment, and so do the loads that they are in.
	select {
	case <-s.family.ended:
		return
	case <-time.After(dying):
	}
	left := s.family.left()
	if s.options.duration == 0 {
		if left != "" {
			s.log().Warn().Msgf("COMMAND has ended and left running: %s: what they load from now on is not traced; "+
				"--duration TIME keeps the tracing open for them", left)
		}
		return
	}
	if left != "" {
		s.log().Info().Msgf("COMMAND has ended and left running: %s: the tracing goes on until they have ended or --duration is over", left)
	}
	select {
	case <-s.family.ended:
		return
	case <-s.tracing.Done():
	case <-ctx.Done():
	}
	if left := s.family.left(); left != "" {
		s.log().Warn().Msgf("the tracing ends, and of COMMAND there still run: %s: what they load from now on is not traced", left)
	}
}

// Verification writes a load, and ends the tracing once enough were written.
func (s *session) Verification(v *record.Verification) error {
	s.shown++
	s.inexact = s.inexact || !whole(v)
	if slices.ContainsFunc(v.Lossy, func(l record.Loss) bool { return l.Reason == record.LossBlind }) {
		s.blind++
	}
	err := s.written(func() error { return s.feed.Verification(v) })
	if err == nil && s.shown == s.options.count.value {
		return record.ErrStop
	}
	return err
}

// Event writes an allocation or a free.
func (s *session) Event(e *record.Event) error {
	return s.written(func() error { return s.feed.Event(e) })
}

// Loss writes losses, and warns people of them.
func (s *session) Loss(r *record.LossReport) error {
	_ = s.warner.Loss(r) // it does not fail
	return s.written(func() error { return s.feed.Loss(r) })
}

// End writes the summary, in the feed and for people, if there is anything to sum.
func (s *session) End(summary *record.Summary) error {
	if !s.begun {
		return nil
	}
	_ = s.warner.End(summary) // it does not fail
	s.warnBlind()
	s.warnSelection(summary)
	s.missing = record.Unrecorded(summary.Losses)
	err := s.written(func() error { return s.feed.End(summary) })
	// Where this fails, nobody reads the error either.
	_ = table.WriteSummary(s.say, summary)
	return err
}

// written does a write of the feed. The first that fails ends the tracing; what still
// comes until that has ended is counted. It returns record.ErrStop if the reader has had
// enough.
func (s *session) written(write func() error) error {
	err := write()
	if err == nil || s.failed != nil {
		return nil
	}
	s.failed = err
	if outputFailure(err) == nil {
		return record.ErrStop
	}
	s.feed = s.options.feedTo(s.out.Rest())
	s.stop()
	return nil
}

// waitingAfter is how long a command may take to end by the signal that it has
// got before the log says that verialloc waits for it.
const waitingAfter = 200 * time.Millisecond

// logWaiting logs why a signal has not ended verialloc, if it has not, until it is
// called off.
func (s *session) logWaiting(ctx context.Context) (off func()) {
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
	if mode != string(tracer.LatencyFentry) && mode != string(tracer.LatencyKprobe) || e.Timed() {
		return nil
	}
	why := cmp.Or(record.WhyLacking(e.Lacks, record.HookLatency), "nothing times the allocator")
	return fmt.Errorf("--latency %s: %w: %s", mode, tracer.ErrUnsupported, why)
}

// strictServed returns why --strict would promise too much: loads that nothing sees.
func (s *session) strictServed(e *record.Environment) error {
	if !s.options.strict || len(e.UnseenLoads) == 0 {
		return nil
	}
	return fmt.Errorf("--strict: %w: kernel %s: %s: trace without --strict", tracer.ErrUnsupported, e.Kernel, text.Unseen(e.UnseenLoads))
}

// warnBlind warns of blind slices, and says what to do about them.
func (s *session) warnBlind() {
	if s.blind > 0 {
		s.log().Warn().Msgf("records that are not exact: %d: the kernel skipped probes while another task on the same "+
			"CPU updated a BPF map: %s", s.blind, record.RemedyRepeat.Advice())
	}
}

// warnReach warns of a selection that can match no program that is loaded.
func (s *session) warnReach() {
	prog := s.options.config.Select.Prog
	if reach, _ := tracer.ReachOf(prog); reach == tracer.ReachRefused {
		s.log().Warn().Msgf("--prog %q: it can match only loads that the kernel refuses: %s", prog, namesConsist)
	}
}

// warnSelection warns of a selection that has matched nothing, and says what there was.
func (s *session) warnSelection(summary *record.Summary) {
	if summary.Verifications > 0 || summary.NotSelected == 0 {
		return
	}
	names := make([]string, len(summary.NotSelectedNames))
	for i, name := range summary.NotSelectedNames {
		names[i] = text.Printable(name)
	}
	s.log().Warn().Msgf("%s: nothing that was asked for is among %s seen, such as %s", s.options.selection(),
		text.Count(summary.NotSelected, "load"), cmp.Or(strings.Join(names, ", "), "one without a name"))
}

// await waits for a command that was started, and returns what waitCommand does.
func (s *session) await() error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	select {
	case <-s.waited:
	default:
		s.log().Info().Msg("the tracing has ended; waiting for the command")
	}
	return <-s.ended
}

// whole reports whether all there was to see of a load is in its record. Where
// nothing was verified, there was nothing to see.
func whole(v *record.Verification) bool {
	return v.Exact || !v.ReachedVerifier && len(v.Lossy) == 0
}
