package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/kernel"
)

func main() {
	root := &cobra.Command{Use: "cost", Short: "Measure what tracing a verification costs", SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(measureCommand(), guardCommand(), reportCommand())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func measureCommand() *cobra.Command {
	var onlyLoads, onlyVariants []string
	cmd := &cobra.Command{
		Use:   "measure",
		Short: "Measure each load under each variant, in a guest",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return measure(json.NewEncoder(cmd.OutOrStdout()), onlyLoads, onlyVariants)
		},
	}
	cmd.Flags().StringArrayVar(&onlyLoads, "load", nil, "this load only")
	cmd.Flags().StringArrayVar(&onlyVariants, "variant", nil, "this variant only")
	return cmd
}

// measure writes a result for each load and variant.
func measure(out *json.Encoder, onlyLoads, onlyVariants []string) error {
	release, err := kernel.ReadRelease()
	if err != nil {
		return err
	}
	var wanted []task
	for _, l := range loads() {
		if named(onlyLoads, l.name) {
			wanted = append(wanted, l)
		}
	}
	time.Sleep(settling) // until the machine has booted
	for _, v := range variants() {
		if !named(onlyVariants, v.name) {
			continue
		}
		for _, r := range under(v, wanted, true) {
			r.Kernel = release.Name
			fmt.Fprintf(os.Stderr, "cost: %s: %s: %d ns %s\n", v.name, r.Load, r.NS, r.Failure)
			if err := out.Encode(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// under measures loads under one start of a variant, and if more than their times is
// wanted, its programs' runs and the rate at which it loses events.
func under(v variant, loads []task, more bool) []result {
	tracer, err := v.start()
	if err != nil {
		return []result{{Variant: v.name, Failure: err.Error()}}
	}
	var results []result
	for _, l := range loads {
		if l.long && v.slow != "" {
			results = append(results, result{Variant: v.name, Load: l.name, Failure: v.slow})
			continue
		}
		before := tracer.cpuTime()
		r := one(v, l)
		if l.verifications > 0 {
			time.Sleep(settling)
			r.CPU = tracer.cpuTime() - before
		}
		if more && !v.peer && l.name == stressLoad {
			if r.Programs, err = runsOf(l); err != nil {
				r.Failure = err.Error()
			}
		}
		results = append(results, r)
	}
	var pace *pace
	var rateErr error
	if more && tracer.lost != nil {
		pace, rateErr = firstLoss(tracer.lost)
	}
	o, err := tracer.stop()
	err = errors.Join(rateErr, err)
	for i, l := range loads {
		r := &results[i]
		r.ReadyNS, r.Binary, r.RSS = uint64(tracer.ready), tracer.binary, o.rss
		r.Lost, r.Inexact, r.Pace = o.lost, o.inexact, pace
		r.Allocs = o.allocs[programName(l.program)] * uint64(l.verifications)
		r.Events = r.Allocs + o.frees[programName(l.program)]*uint64(l.verifications)
		if err != nil && r.Failure == "" {
			r.Failure = err.Error()
		}
	}
	return results
}

// one repeats a load. Its first run counts for nothing.
func one(v variant, l task) result {
	r := result{Load: l.name, Variant: v.name}
	counted := repeats
	if l.long && v.peer {
		counted = 1
	}
	for i := range 1 + counted {
		took, err := l.run()
		if err != nil {
			r.Failure = err.Error()
			break
		}
		r.Runs++
		if i == 0 {
			continue
		}
		r.Samples = append(r.Samples, uint64(took))
		if r.NS == 0 || uint64(took) < r.NS {
			r.NS = uint64(took)
		}
	}
	return r
}
