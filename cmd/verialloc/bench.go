package main

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/object"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

const benchHelp = `Bench loads every program of the BPF objects given, and generated ones (--stress),
and says what the verifier took for each.

As veristat it makes one load of each program and prints a table or CSV; it takes
veristat's options, and with -C and -R it compares and shows what veristat or bench
wrote. With --extended, -o jsonl or -o benchfmt, and for a table of three or more
sizes of a generated program, it makes 10 bare loads of each after one to warm up,
for times, and then 10 traced ones after one to warm up, for allocations. --repeat,
--warmup and --traced change that.

Bare loads have nothing attached. Traced loads come after all bare ones, and their
times serve for one thing alone: what tracing costs. Loads are made in rounds of one
load of each program, in an order that --seed decides. Numbers shown are medians.

A program that is rejected or cannot be loaded is a row with the verdict failure; it
is no error.`

const benchExamples = `  verialloc bench -o csv -e file,prog,verdict,insns,states prog.bpf.o
  verialloc bench --extended --repeat 30 --cpu 1 prog.bpf.o
  verialloc bench --stress branches=500,1000,2000,4000
  verialloc bench -o jsonl --output before.jsonl --repeat 30 @objects.txt
  verialloc bench -C before.csv after.csv`

// benchOptions are the flags of bench.
type benchOptions struct {
	format    choice
	output    string
	extended  bool
	repeat    number
	warmup    natural
	traced    natural
	parallel  number
	cpus      cpuList
	seed      seed
	stress    []string
	ring      ringSize
	tracedSet bool // --traced was given

	// veristat's.
	emit, sort, filters, globals []string
	compare, replay              bool
	partial                      bool
	verbose, debug, quiet        bool
	version                      bool
	testStates, testInvariants   bool
	logLevel                     natural
	logFixed                     bool
	logSize                      natural
	top, topSource               natural
	compat                       bool

	view    veristat.View
	objects object.Options
}

func (a *app) benchCommand() *cobra.Command {
	o := &benchOptions{
		format:   choice{"table", []string{"table", "csv", "jsonl", "benchfmt"}},
		repeat:   number{10, "a number from 1 up"},
		warmup:   1,
		traced:   10,
		parallel: number{1, "a number from 1 up"},
	}
	cmd := &cobra.Command{
		Use:     "bench [flags] [FILE.bpf.o|@LIST]...",
		Short:   "Load programs again and again and say what the verifier took for each",
		Long:    benchHelp,
		Example: benchExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.version:
				return a.printVersion()
			case o.compare:
				return a.benchCompare(cmd.Context(), o, args)
			case o.replay:
				return a.benchReplay(cmd.Context(), o, args)
			default:
				return a.bench(cmd.Context(), o, args)
			}
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&o.format, "output-format", "o", "form of the result")
	f.StringVar(&o.output, "output", "", "write the result to `FILE`, replacing it; - is standard output, as without; under sudo no link of yours")
	f.BoolVar(&o.extended, "extended", false, "add what veristat does not have to a table or CSV")

	f.Var(&o.repeat, "repeat", "bare loads of each program that count; 1 as veristat")
	f.Var(&o.warmup, "warmup", "loads of each program ahead of them, and of traced ones; 0 with a single load")
	f.Var(&o.traced, "traced", "traced loads of each program that count; 0: none, as veristat")
	f.Var(&o.parallel, "parallel", "loaders at once")
	f.Var(&o.cpus, "cpu", "pin loaders, one CPU each in turn")
	f.Var(&o.seed, "seed", "order of the loads; the result has it")
	f.StringArrayVar(&o.stress, "stress", nil, "load generated programs of `KIND=SIZE[,SIZE...]`: branches, loops, subprograms, stack")
	f.Var(&o.ring, "ring-size", "size of the tracer's ring buffer, such as 64M: larger where there are losses; auto is by CPUs and grows")

	f.StringArrayVarP(&o.emit, "emit", "e", nil, "stats to show, as `SPEC`")
	f.StringArrayVarP(&o.sort, "sort", "s", nil, "order of the rows, as `SPEC`")
	f.StringArrayVarP(&o.filters, "filter", "f", nil, "programs to load and rows to show, as `FILTER`; @FILE: filters of a file")
	f.VarP(&o.top, "top-n", "n", "show the first N rows alone; 0: all")
	f.StringArrayVarP(&o.globals, "set-global-vars", "G", nil, "set a global variable by `EXPR`, such as 'debug = 1'; @FILE: expressions of a file")
	f.BoolVarP(&o.compare, "compare", "C", false, "compare the rows of two results, CSV or JSON Lines")
	f.BoolVarP(&o.replay, "replay", "R", false, "show an earlier result, CSV or JSON Lines")
	f.BoolVar(&o.partial, "partial", false, "with -C and -R: take JSON Lines that were cut off")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the verifier's log of each program, of one load")
	f.BoolVarP(&o.debug, "debug", "d", false, "the same: there is no libbpf to debug")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress, and no reasons of failures")
	f.VarP(&o.logLevel, "log-level", "l", "level of the log with -v: 1, or 2 for all that the verifier does")
	f.BoolVar(&o.logFixed, "log-fixed", false, "keep the beginning of a log that is too long, not its end")
	f.Var(&o.logSize, "log-size", "bytes of the log with -v and -S; 0: as many as it takes, up to 1 GiB")
	f.VarP(&o.topSource, "top-src-lines", "S", "print the N lines of source that the log has most often; 0: none")
	f.BoolVarP(&o.testStates, "test-states", "t", false, "make the verifier keep states often (BPF_F_TEST_STATE_FREQ)")
	f.BoolVarP(&o.testInvariants, "test-reg-invariants", "r", false, "reject what violates the verifier's invariants (BPF_F_TEST_REG_INVARIANTS)")
	f.BoolVar(&o.compat, "veristat-compat", false, "keep veristat's defects: filters go by absolute values")
	f.BoolVarP(&o.version, "version", "V", false, "print the version, as the command does")
	// What the other commands call it.
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "format" {
			name = "output-format"
		}
		return pflag.NormalizedName(name)
	})
	return cmd
}

// check refuses what cannot be, ahead of anything that has an effect.
func (o *benchOptions) check(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	o.verbose = o.verbose || o.debug
	own := !o.rows() // a form of our own
	switch {
	case o.version:
		return nil
	case o.verbose && o.quiet:
		return usagef("-v with -q: give one or neither")
	case o.compare && o.replay:
		return usagef("-C with -R: give one or neither")
	case o.compare && len(args) != 2:
		return usagef("-C takes two results to compare, not %d", len(args))
	case o.replay && len(args) != 1:
		return usagef("-R takes one result to show, not %d", len(args))
	case (o.compare || o.replay) && (own || o.extended || len(o.stress) > 0):
		return usagef("-C and -R show veristat's stats alone: as table or csv, without --extended and --stress")
	case o.partial && !o.compare && !o.replay:
		return usagef("--partial is for -C and -R: nothing else reads a recording")
	case !o.compare && !o.replay && len(args)+len(o.stress) == 0:
		return usagef("nothing to load: give object files or --stress")
	case own && o.extended:
		return usagef("--extended is for a table and CSV: -o %s always holds all", o.format.value)
	case own && (len(o.emit) > 0 || len(o.sort) > 0 || o.top > 0):
		return usagef("-e, -s and -n are for a table and CSV: -o %s always holds all", o.format.value)
	case o.logs() && (own || o.extended):
		return usagef("-v and -S are for veristat's table and CSV: logs take time that would be measured")
	case o.logs() && (flags.Changed("traced") || flags.Changed("warmup") || flags.Changed("repeat") && o.repeat.value > 1):
		return usagef("-v and -S make one load of each program: logs take time that would be measured")
	}
	if o.output == "-" {
		o.output = ""
	}
	o.tracedSet = flags.Changed("traced") && o.traced > 0
	o.defaults(flags)
	return cmp.Or(o.checkView(), o.checkGlobals())
}

// rows reports whether the result has a row for each program, as veristat's.
func (o *benchOptions) rows() bool { return o.format.value == "table" || o.format.value == "csv" }

// logs reports whether logs are wanted, which leave no time to measure.
func (o *benchOptions) logs() bool { return o.verbose || o.topSource > 0 }

// plain reports whether the result has nothing that veristat has not.
func (o *benchOptions) plain() bool {
	sweep := o.format.value == "table" && o.sweep() && !o.logs()
	return o.rows() && !o.extended && !sweep
}

// sweep reports whether there are sizes enough of a kind of generated program to say how
// cost grows with them.
func (o *benchOptions) sweep() bool {
	programs, _ := generate.List(o.stressText()) // what is wrong in it is said once they are made
	sizes := map[string]int{}
	for _, p := range programs {
		sizes[p.Kind]++
		if sizes[p.Kind] >= recording.MinSizes {
			return true
		}
	}
	return false
}

// stressText is the list of generated programs, however many flags gave it.
func (o *benchOptions) stressText() string { return strings.Join(o.stress, " ") }

// defaults sets what was not given where the result is veristat's: one load, and none
// that the result would not show.
func (o *benchOptions) defaults(flags *pflag.FlagSet) {
	if !o.plain() {
		return
	}
	if !flags.Changed("repeat") {
		o.repeat.value = 1
	}
	if !flags.Changed("warmup") && o.repeat.value == 1 {
		o.warmup = 0
	}
	if !flags.Changed("traced") {
		o.traced = 0
	}
}

// checkView reads what of the rows is shown.
func (o *benchOptions) checkView() (err error) {
	v := &o.view
	v.Top, v.Compat = int(o.top), o.compat
	if len(o.emit) > 0 {
		if v.Emit, err = veristat.ParseSpec(strings.Join(o.emit, ",")); err != nil {
			return usagef("-e: %w", err)
		}
	}
	if len(o.sort) > 0 {
		if v.Sort, err = veristat.ParseSpec(strings.Join(o.sort, ",")); err != nil {
			return usagef("-s: %w", err)
		}
	}
	for _, text := range o.filters {
		if path, isFile := strings.CutPrefix(text, "@"); isFile {
			filters, err := readFilters(path)
			if err != nil {
				return usagef("-f %s: %w", text, err)
			}
			v.Filters = append(v.Filters, filters...)
			continue
		}
		filter, err := veristat.ParseFilter(text)
		if err != nil {
			return usagef("-f: %w", err)
		}
		v.Filters = append(v.Filters, filter)
	}
	byNumber := func(f veristat.Filter) bool { return f.Operator != "" }
	if !o.rows() && slices.ContainsFunc(v.Filters, byNumber) {
		return usagef("-f by number is for a table and CSV: -o %s always holds all", o.format.value)
	}
	return nil
}

func readFilters(path string) (veristat.Filters, error) {
	file, err := input.List.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return veristat.ReadFilters(file)
}

// checkGlobals reads the values of global variables.
func (o *benchOptions) checkGlobals() error {
	for _, text := range o.globals {
		lines := []string{text}
		if path, isFile := strings.CutPrefix(text, "@"); isFile {
			var err error
			if lines, err = readList(path); err != nil {
				return usagef("-G %s: %w", text, err)
			}
		}
		for _, line := range lines {
			global, err := object.ParseGlobal(line)
			if err != nil {
				return usagef("-G: %w", err)
			}
			o.objects.Globals = append(o.objects.Globals, global)
		}
	}
	return nil
}

// readList reads the lines of a file that are not empty and not comments, which # begins.
func readList(path string) ([]string, error) {
	text, err := input.List.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("it holds a zero byte: want a list, a line for each")
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// defaultLogSize is enough for most logs; where it is not, the log grows.
const defaultLogSize = math.MaxUint32 >> 8

// load is how to load.
func (o *benchOptions) load() load.Options {
	var options load.Options
	if o.testStates {
		options.Flags |= unix.BPF_F_TEST_STATE_FREQ
	}
	if o.testInvariants {
		options.Flags |= unix.BPF_F_TEST_REG_INVARIANTS // from 6.8
	}
	if o.logFixed {
		options.LogLevel |= load.LogFixed
	}
	if !o.logs() {
		return options
	}
	level := uint32(o.logLevel)
	switch {
	case level > 0:
	case o.verbose:
		level = load.LogBasic
	default: // -S counts lines of source, which the full log alone has
		level = load.LogAll
	}
	options.LogLevel |= level
	options.LogSize = cmp.Or(int(o.logSize), defaultLogSize)
	return options
}
