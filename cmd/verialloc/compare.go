package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/compare"
	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	comparison "github.com/verialloc/verialloc/exporter/view/compare"
	"github.com/verialloc/verialloc/internal/input"
)

const compareHelp = `Compare says of each program and metric whether NEW is better or worse than BASE, the
same within the noise, or inconclusive, and then what would settle it.

A side is a recording of bench, or a CSV of veristat, which has one sample of each
program and so is always inconclusive. - is standard input. Programs are matched by
file and name.

  better, worse  the rank test is significant after Holm's correction over the programs,
                 the change is beyond the noise floor, and NEW's halves are no farther apart
  same           the interval of the change is within the noise floor
  inconclusive   neither; the reason follows, and what would settle it

The noise floor is how far two parts of BASE, or BASE and --noise, are apart.
docs/compare.md has the method.

-o csv writes what veristat -C -o csv writes; -e, -s and -f are veristat's. -o mail is plain
text of 72 columns.`

const compareExamples = `  verialloc compare base.jsonl new.jsonl
  verialloc compare --noise base-again.jsonl --mail base.jsonl new.jsonl
  verialloc compare --fail-on 'duration>2%' --fail-on 'total_states>0%' base.jsonl new.jsonl
  verialloc compare -o csv -e file,prog,verdict,states base.csv new.csv`

// compareOptions are the flags of compare.
type compareOptions struct {
	format   choice
	mail     bool
	extended bool
	metrics  metricList
	limits   limitList
	names    nameMap
	noise    string
	partial  bool
	budget   percentage
	maxFloor percentage
	work     bool
	alpha    float64
	seed     seed
	emit     csvSpec
	sort     csvSpec
	filters  csvFilters
}

func (a *app) compareCommand() *cobra.Command {
	o := &compareOptions{
		format:   choice{"table", []string{"table", "csv", "json", "mail"}},
		budget:   compare.DefaultObserverBudgetPercent,
		maxFloor: compare.DefaultMaxFloorPercent,
		alpha:    compare.DefaultAlpha,
		seed:     seed{value: 1, given: true},
	}
	cmd := &cobra.Command{
		Use:     "compare [flags] BASE NEW",
		Short:   "Judge two recordings of bench, or two CSVs of veristat",
		Long:    compareHelp,
		Example: compareExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.compare(cmd.InOrStdin(), o, args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&o.format, "format", "o", "form of the answer")
	f.BoolVar(&o.mail, "mail", false, "same as -o mail")
	f.Var(&o.metrics, "metric", "compare these metrics, or all")
	f.Var(&o.limits, "fail-on", "exit with 7 if a program's change is so, with 8 if that is undecided: `LIMIT` such as 'duration>2%'; may be repeated")
	f.StringVar(&o.noise, "noise", "", "take the noise floor from another recording of BASE's kernel, `FILE`")
	f.Var(&o.names, "map", "match `OLD=NEW` names of programs: PROG, FILE/PROG or FILE/; may be repeated")
	f.Var(&o.budget, "observer-budget", "how much longer traced loads may take for their times to be judged")
	f.Var(&o.maxFloor, "max-floor", "widest noise floor within which anything is called the same")
	f.BoolVar(&o.work, "different-work", false, "judge programs whose verification was not the same work")
	f.BoolVar(&o.partial, "partial", false, "take JSON Lines that were cut off")
	f.Float64Var(&o.alpha, "alpha", o.alpha, "chance of a false better or worse among the programs of a metric, `P`")
	f.Var(&o.seed, "seed", "seed of the bootstraps")

	f.BoolVar(&o.extended, "extended", false, "-o csv with intervals, p-values and verdicts, which veristat has not")
	f.VarP(&o.emit, "emit", "e", "-o csv: the columns, as veristat's -e")
	f.VarP(&o.sort, "sort", "s", "-o csv: the order, as veristat's -s")
	f.VarP(&o.filters, "filter", "f", "-o csv: the rows, as veristat's -f; may be repeated")
	return cmd
}

// check refuses what cannot be, ahead of reading anything.
func (o *compareOptions) check(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	if o.mail && flags.Changed("format") && o.format.value != "mail" {
		return usagef("--mail with -o %s", o.format.value)
	}
	if o.mail {
		o.format.value = "mail"
	}
	veristats := flags.Changed("emit") || flags.Changed("sort") || flags.Changed("filter")
	standardInputs := 0
	for _, name := range append([]string{o.noise}, args...) {
		if name == "-" {
			standardInputs++
		}
	}
	switch {
	case len(args) != 2:
		return usagef("want BASE and NEW, there are %d files", len(args))
	case standardInputs > 1:
		return usagef("standard input can be one file alone")
	case o.extended && o.format.value != "csv":
		return usagef("--extended is for -o csv")
	case veristats && (o.format.value != "csv" || o.extended):
		return usagef("--emit, --sort and --filter are for -o csv, without --extended")
	case flags.Changed("noise") && o.noise == "":
		return usagef("--noise: want a file")
	case o.maxFloor == 0:
		return usagef("--max-floor: want more than 0")
	case !(o.alpha > 0 && o.alpha < 1): // NaN is neither
		return usagef("--alpha %g: want more than 0 and less than 1", o.alpha)
	}
	return nil
}

func (a *app) compare(stdin io.Reader, o *compareOptions, baseName, newName string) error {
	a.confine(readLimits())
	base, err := readSide(baseName, stdin, o)
	if err != nil {
		return err
	}
	comp, err := readSide(newName, stdin, o)
	if err != nil {
		return err
	}
	options := compare.Options{
		Metrics:               o.selected(),
		Names:                 &o.names.NameMap,
		ObserverBudgetPercent: float64(o.budget),
		MaxFloorPercent:       float64(o.maxFloor),
		DifferentWork:         o.work,
		Alpha:                 o.alpha,
		Seed:                  o.seed.value,
	}
	if o.noise != "" {
		if options.Noise, err = readSide(o.noise, stdin, o); err != nil {
			return err
		}
	}
	found, err := compare.Compare(base, comp, options)
	if err != nil {
		return err
	}
	// Written at once: an error leaves nothing half written.
	var text bytes.Buffer
	switch {
	case o.format.value == "json":
		err = jsonl.New(&text).Write(found)
	case o.format.value == "mail":
		err = comparison.WriteMail(&text, found)
	case o.extended:
		err = comparison.WriteCSV(&text, found)
	case o.format.value == "csv":
		view := veristat.View{Emit: o.emit.Spec, Sort: o.sort.Spec, Filters: o.filters.Filters}
		err = comparison.WriteVeristat(&text, base, comp, &o.names.NameMap, view)
	default:
		err = comparison.WriteTable(&text, found)
	}
	if err != nil {
		return fmt.Errorf("compare %s with %s: %w", baseName, newName, err)
	}
	if _, err := a.out.Write(text.Bytes()); err != nil {
		if err := outputFailure(err); err != nil {
			return err
		}
	}
	return o.limits.check(found)
}

// readSide reads one file.
func readSide(name string, stdin io.Reader, o *compareOptions) (*compare.Input, error) {
	options := compare.ReadOptions{Partial: o.partial}
	if name == "-" {
		in, err := compare.Read("standard input", stdin, options)
		return in, advisePartial(err)
	}
	file, err := input.Recording.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in, err := compare.Read(name, file, options)
	return in, advisePartial(err)
}

// selected returns the metrics to compare: those asked for, and those of the limits.
func (o *compareOptions) selected() []string {
	if len(o.limits) == 0 {
		return o.metrics
	}
	names := slices.Clone(o.metrics)
	if len(names) == 0 {
		names = slices.Clone(compare.DefaultMetrics)
	}
	for _, limit := range o.limits {
		names = append(names, limit.Metric())
	}
	return names
}

// shownFindings is how many programs an error names.
const shownFindings = 3

// check returns an error if a change is beyond a limit, or else if that is undecided.
func (l limitList) check(c *compare.Comparison) error {
	var exceeded, undecided []string
	for _, limit := range l {
		over, unknown := limit.Check(c)
		for _, finding := range over {
			exceeded = append(exceeded, fmt.Sprintf("%s: %s", limit, finding))
		}
		for _, finding := range unknown {
			undecided = append(undecided, fmt.Sprintf("%s: %s", limit, finding))
		}
	}
	switch {
	case len(exceeded) > 0:
		return fmt.Errorf("--fail-on: %d %w: %s", len(exceeded), errLimit, some(exceeded))
	case len(undecided) > 0:
		return fmt.Errorf("--fail-on: %d %w: %s", len(undecided), errUndecided, some(undecided))
	default:
		return nil
	}
}

// some joins the first of many.
func some(texts []string) string {
	text := strings.Join(texts[:min(len(texts), shownFindings)], "; ")
	if more := len(texts) - shownFindings; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// limitList is a flag of limits.
type limitList []compare.Limit

func (l *limitList) Type() string { return "LIMIT" }

func (l *limitList) String() string {
	texts := make([]string, len(*l))
	for i, limit := range *l {
		texts[i] = limit.String()
	}
	return strings.Join(texts, ",")
}

func (l *limitList) Set(text string) error {
	limit, err := compare.ParseLimit(text)
	if err != nil {
		return err
	}
	*l = append(*l, limit)
	return nil
}

// metricList is a flag of metrics, which adds up when it is repeated.
type metricList []string

func (m *metricList) Type() string   { return "NAME,..." }
func (m *metricList) String() string { return strings.Join(*m, ",") }

func (m *metricList) Set(text string) error {
	if text == "all" {
		*m = compare.Metrics()
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		name, err := compare.ParseMetric(word)
		if err != nil {
			return err
		}
		*m = append(*m, name)
	}
	return nil
}

// nameMap is a flag of names, OLD=NEW.
type nameMap struct {
	compare.NameMap
	texts []string
}

func (n *nameMap) Type() string   { return "OLD=NEW" }
func (n *nameMap) String() string { return strings.Join(n.texts, ",") }

func (n *nameMap) Set(text string) error {
	n.texts = append(n.texts, text)
	return n.Add(text)
}

// percentage is a flag in percent, from 0 up.
type percentage float64

func (p *percentage) Type() string   { return "PERCENT" }
func (p *percentage) String() string { return fmt.Sprintf("%g%%", float64(*p)) }

func (p *percentage) Set(text string) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(value >= 0) || math.IsInf(value, 0) { // NaN is not
		return fmt.Errorf("want a number from 0 up, such as 25%%")
	}
	*p = percentage(value)
	return nil
}

// csvSpec is a flag of veristat's columns or order.
type csvSpec struct{ veristat.Spec }

func (v *csvSpec) Type() string { return "SPEC" }

func (v *csvSpec) Set(text string) error {
	spec, err := veristat.ParseSpec(text)
	if err != nil {
		return err
	}
	v.Spec = append(v.Spec, spec...)
	return nil
}

// csvFilters is a flag of veristat's filters.
type csvFilters struct{ veristat.Filters }

func (v *csvFilters) Type() string { return "FILTER" }

func (v *csvFilters) String() string {
	texts := make([]string, len(v.Filters))
	for i, f := range v.Filters {
		texts[i] = f.String()
	}
	return strings.Join(texts, ",")
}

func (v *csvFilters) Set(text string) error {
	filter, err := veristat.ParseFilter(text)
	if err != nil {
		return err
	}
	v.Filters = append(v.Filters, filter)
	return nil
}
