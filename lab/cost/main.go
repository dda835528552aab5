package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
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
	release, err := kernelRelease()
	if err != nil {
		return err
	}
	var wanted []load
	for _, l := range loads() {
		if named(onlyLoads, l.name) {
			wanted = append(wanted, l)
		}
	}
	for _, v := range variants() {
		if !named(onlyVariants, v.name) {
			continue
		}
		var results []result
		if v.slow {
			results = together(v, slices.DeleteFunc(slices.Clone(wanted), func(l load) bool { return l.long }))
		} else {
			for _, l := range wanted {
				results = append(results, together(v, []load{l})...)
			}
		}
		for _, r := range results {
			r.Kernel = release
			fmt.Fprintf(os.Stderr, "cost: %s: %s: %d ns %s\n", v.name, r.Load, r.NS, r.Failure)
			if err := out.Encode(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// together measures loads under one start of a variant.
func together(v variant, loads []load) []result {
	tracer, err := v.start()
	if err != nil {
		return []result{{Variant: v.name, Failure: err.Error()}}
	}
	var results []result
	for _, l := range loads {
		results = append(results, one(v, l))
	}
	o, err := tracer.stop()
	for i := range results {
		r := &results[i]
		r.ReadyNS, r.Binary, r.RSS, r.Lost, r.Inexact = uint64(tracer.ready), tracer.binary, o.rss, o.lost, o.inexact
		if len(loads) == 1 {
			r.Events = o.events / uint64(loads[i].repeats+1)
		}
		if err != nil && r.Failure == "" {
			r.Failure = err.Error()
		}
	}
	return results
}

// one repeats a load. Its first run counts for nothing.
func one(v variant, l load) result {
	r := result{Load: l.name, Variant: v.name}
	for i := range l.repeats + 1 {
		took, err := l.run()
		if err != nil {
			r.Failure = err.Error()
			break
		}
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

func kernelRelease() (string, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "", os.NewSyscallError("uname", err)
	}
	return unix.ByteSliceToString(uts.Release[:]), nil
}
