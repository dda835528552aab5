package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/fence"
	"github.com/verialloc/verialloc/cmd/verialloc/internal/stream"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

func main() {
	// What is traced makes little garbage, and a tracer is to be small.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	// Without this a reader that goes away would kill the process before it
	// could wait for its command, and a file that may not grow would end it with a
	// dump. Notify leaves the command's own default.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGXFSZ)
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// signalled is the cause of a context that a signal ended.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return s.String() }

// untilSignal returns a context that the first signal to end ends; a second one
// then has its default effect.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		received := <-signals
		signal.Stop(signals)
		cancel(signalled{received})
	}()
	return ctx
}

// run runs the command line on the kernel below and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := newApp(stdout, stderr)
	a.fence, a.foster = fence.Raise, foster
	return a.run(ctx, args)
}

// newApp returns the program as it is on the kernel below, without what holds the whole
// process, for good.
func newApp(stdout, stderr io.Writer) *app {
	return &app{
		stdout: stdout,
		stderr: stderr,
		open: func(config tracer.Config) (source, error) {
			return tracer.Open(config)
		},
		diagnose: tracer.Diagnose,
		lab:      kernelLab{},
	}
}

// app is the program with what it stands on, which tests replace.
type app struct {
	stdout, stderr io.Writer       // for a command of the arguments to inherit
	out            *stream.Lines   // what is written to stdout
	say            *stream.Bounded // what is written to stderr
	patience       time.Duration   // of writes, once hurried; 0: as long as stream says
	hurried        context.Context // done once no write is to wait long for its reader
	hurry          context.CancelFunc
	untie          func() bool // keeps a signal from hurrying; false: one has
	open           func(tracer.Config) (source, error)
	diagnose       func(context.Context) (record.Diagnosis, error)
	fence          func(fence.Limits) (record.Fence, error) // nil: there is none
	foster         func() (*family, error)                  // nil: not to be done, as it is for the whole process
	lab            lab
	args           []string
}

func (a *app) run(ctx context.Context, args []string) int {
	a.args = args
	a.hurried, a.hurry = context.WithCancel(context.Background())
	defer a.hurry()
	a.untie = context.AfterFunc(ctx, a.hurry)
	a.out, a.say = stream.NewLines(a.bounded(a.stdout)), a.bounded(a.stderr)
	defer func() { _, _ = a.out.Close(), a.say.Close() }() // all was written
	started := false
	root := &cobra.Command{
		Use:           "verialloc",
		Short:         "Trace what the Linux BPF verifier allocates, program load by program load",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		// An error is one line.
		DisableSuggestions: true,
		// Whatever fails before this is called is wrong usage.
		PersistentPreRun: func(*cobra.Command, []string) { started = true },
	}
	version := root.Flags().Bool("version", false, "print the version, as the command does")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			return a.printVersion()
		}
		return cmd.Help()
	}
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.say)
	root.AddCommand(a.traceCommand(), a.benchCommand(), a.compareCommand(), a.doctorCommand(), a.stressCommand(), a.versionCommand())
	cmd, err := root.ExecuteContextC(ctx)
	err = cmp.Or(err, outputFailure(a.out.Flush()))
	if err != nil && !started {
		err = usageError{fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())}
	}
	return a.report(err)
}

// bounded returns a writer that waits for its reader as long as that takes, and from
// hurry on not for long.
func (a *app) bounded(w io.Writer) *stream.Bounded {
	b := stream.NewBounded(w, cmp.Or(a.patience, stream.Patience))
	context.AfterFunc(a.hurried, b.End)
	return b
}

const rootHelp = `verialloc traces what the Linux BPF verifier allocates, program load by program
load, live and machine-wide.

Exit codes:
  0  all went well
  1  any other error
  2  wrong usage: nothing was started
  3  not permitted
  4  this kernel lacks something that is required, or asked for by a flag
  5  the feed could not be written
  6  with --strict: a record shown was not exact, or a load was not shown
  7  with --fail-on: a change is beyond a limit
  8  with --fail-on: it is undecided whether a change is beyond a limit

With -- COMMAND it is the command's own exit code where the tracing went well,
128 and the number of the signal where one killed it. A reader that closes the
pipe ends a trace without an error. Where one does not read, a trace that a signal
or --duration ends waits 5 seconds and ends with 5. Of bench and stress it is 128
and the number of the signal that ended them.`
