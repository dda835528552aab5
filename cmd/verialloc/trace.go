package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/exporter/view/table"
	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

const traceHelp = `Trace prints a line for each BPF program load on the machine as it ends, until
Ctrl-C, or until COMMAND ends: then only the loads of the command and of its
descendants are traced.

The rows or JSON Lines go to standard output, or to --output FILE. What is traced
by which means, warnings and the summary go to standard error. So does what
COMMAND prints to its standard output, unless --output takes the feed out of its
way. --duration and --count end the tracing, not COMMAND, which is waited for. What
COMMAND leaves running is named; with --duration it is traced on.`

const traceExamples = `  verialloc trace
  verialloc trace --by type,site --histogram --prog 'my_*'
  verialloc trace -o jsonl --output loads.jsonl -- bpftool prog loadall prog.o /sys/fs/bpf/prog
  verialloc trace --events --count 1`

// traceOptions are the flags of trace.
type traceOptions struct {
	format    choice
	output    string
	readyFile string
	by        dimensions
	histogram bool
	events    bool
	strict    bool

	duration time.Duration
	count    number
	pid      number
	config   tracer.Config
	latency  choice
	ring     ringSize
}

func (a *app) traceCommand() *cobra.Command {
	o := &traceOptions{
		format:  choice{"table", []string{"table", "jsonl"}},
		latency: choice{"auto", []string{"auto", "fentry", "kprobe", "off"}},
		count:   number{want: "a number from 1 up"},
		pid:     number{want: "a process id"},
	}
	cmd := &cobra.Command{
		Use:     "trace [flags] [-- COMMAND [ARG...]]",
		Short:   "Print each program load with what the verifier allocated for it",
		Long:    traceHelp,
		Example: traceExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.trace(cmd.Context(), o, args)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&o.format, "format", "o", "form of the feed")
	f.StringVar(&o.output, "output", "", "write the feed to `FILE`, replacing it; - is standard output, as without; under sudo no link of yours")
	f.Var(&o.by, "by", "add a row below each load for each "+dimensionTitles())
	f.BoolVar(&o.histogram, "histogram", false, "add the histogram of latencies below each load, and each type with --by type")
	f.BoolVar(&o.config.LoaderCommand, "loader-cmdline", false, "say which command line and executable each load is by")
	f.BoolVar(&o.events, "events", false, "print each allocation and free as well")

	f.DurationVar(&o.duration, "duration", 0, "end the tracing after `TIME`, such as 30s; until then descendants that COMMAND leaves are traced on")
	f.Var(&o.count, "count", "end the tracing after `N` loads shown")
	f.Var(&o.pid, "pid", "trace only the process `PID`, as the initial PID namespace counts")
	f.StringVar(&o.config.Comm, "comm", "", "trace only tasks with this command `NAME`")
	f.StringVar(&o.config.Select.Prog, "prog", "", "show only programs whose name matches `GLOB`: the whole name, or the 15 bytes of it that the kernel keeps; or may match, where it is not known whole")
	f.StringVar(&o.config.Select.Type, "type", "", "show only programs of `TYPE`, such as socket_filter, or of one that is not known")
	f.DurationVar(&o.config.Select.MinTime, "min-time", 0, "show only loads that took `TIME` or longer to verify, or may have")

	f.Var(&o.latency, "latency", "means of timing the allocator")
	f.Var(&o.ring, "ring-size", "size of the ring buffer, such as 64M: larger where there are losses; auto is by CPUs and grows")
	f.BoolVar(&o.config.IncludeSelf, "include-self", false, "trace verialloc's own loads too")
	f.StringVar(&o.readyFile, "ready-file", "", "write the process id to `FILE`, which may be a FIFO, once the probes are live")
	f.BoolVar(&o.strict, "strict", false, "exit with 6 if a record shown is not exact or a load is not shown, with 4 where loads of a class cannot be seen")
	return cmd
}

// check refuses what cannot be, ahead of anything that has an effect.
func (o *traceOptions) check(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	dash := cmd.ArgsLenAtDash()
	switch {
	case len(args) > 0 && dash != 0:
		return usagef("unexpected %q: put -- ahead of a command to trace", args[0])
	case len(args) == 0 && dash == 0:
		return usagef("no command after --")
	case len(args) > 0 && flags.Changed("pid"):
		return usagef("--pid with a command: only the command's own loads are traced")
	case flags.Changed("comm") && (o.config.Comm == "" || len(o.config.Comm) > tracer.MaxComm):
		return usagef("--comm %q: want 1 to %d bytes, which is what the kernel keeps", o.config.Comm, tracer.MaxComm)
	case flags.Changed("duration") && o.duration <= 0:
		return usagef("--duration %s: want more than 0", o.duration)
	case o.config.Select.MinTime < 0:
		return usagef("--min-time %s: want 0 or more", o.config.Select.MinTime)
	case o.format.value == "jsonl" && (len(o.by) > 0 || o.histogram):
		return usagef("--by and --histogram are for -o table: JSON Lines always hold both")
	}
	for _, name := range []string{"prog", "type", "output", "ready-file"} {
		if flags.Changed(name) && flags.Lookup(name).Value.String() == "" {
			return usagef("--%s: its value is empty", name)
		}
	}
	switch reach, err := tracer.ReachOf(o.config.Select.Prog); {
	case err != nil:
		return usagef("--prog %q: %w: close each [, and \\ what is meant literally", o.config.Select.Prog, err)
	case reach == tracer.ReachNone:
		return usagef("--prog %q: no program can have such a name: %s", o.config.Select.Prog, namesConsist)
	}
	if o.output == "-" {
		o.output = ""
	}
	o.config.PID = o.pid.value
	if flags.Changed("pid") {
		return checkPID(o.pid.value)
	}
	return nil
}

// selection is what was given of the flags that leave loads out by what they turn out to be.
func (o *traceOptions) selection() string {
	var given []string
	if o.config.Select.Prog != "" {
		given = append(given, fmt.Sprintf("--prog %q", o.config.Select.Prog))
	}
	if o.config.Select.Type != "" {
		given = append(given, fmt.Sprintf("--type %q", o.config.Select.Type))
	}
	if o.config.Select.MinTime > 0 {
		given = append(given, "--min-time "+o.config.Select.MinTime.String())
	}
	return strings.Join(given, " ")
}

// namesConsist says which names there are.
const namesConsist = "names consist of letters, digits, _ and ., 512 at most"

// checkPID refuses what is no process. Elsewhere than in the initial PID
// namespace /proc counts otherwise, and does not show it.
func checkPID(pid int) error {
	if !kernel.InInitialPIDNamespace() {
		return nil
	}
	status, err := input.Kernel.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return usagef("--pid %d: there is no such process", pid)
	}
	for line := range strings.Lines(string(status)) {
		group, ok := strings.CutPrefix(line, "Tgid:")
		if group = strings.TrimSpace(group); ok && group != strconv.Itoa(pid) {
			return usagef("--pid %d: it is a thread of process %s", pid, group)
		}
	}
	return nil
}

// feedTo returns the feed that the flags ask for.
func (o *traceOptions) feedTo(w io.Writer) record.Sink {
	if o.format.value == "jsonl" {
		return jsonl.New(w)
	}
	return table.New(w, table.Options{By: o.by, Histogram: o.histogram, Events: o.events})
}
