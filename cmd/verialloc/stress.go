package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/workload"
)

func (a *app) stressCommand() *cobra.Command {
	branches, repeat := 1000, 1
	cmd := &cobra.Command{
		Use:   "stress",
		Short: "Load a generated program with many conditional branches",
		Long: `Stress loads "if (x == n) x++" for n from 0 up as a socket filter, so that there is
something to trace, and prints the verifier's own statistics of each load.`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if branches < 1 || repeat < 1 {
				return usageError{fmt.Errorf("--branches %d --repeat %d: want at least 1", branches, repeat)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stress(cmd.Context(), branches, repeat)
		},
	}
	cmd.Flags().IntVar(&branches, "branches", branches, "conditional branches in the program")
	cmd.Flags().IntVar(&repeat, "repeat", repeat, "loads, one after the other")
	return cmd
}

func (a *app) stress(ctx context.Context, branches, repeat int) error {
	program := workload.Stress(branches)
	for range repeat {
		if err := ctx.Err(); err != nil {
			return err
		}
		stats, err := workload.Load(program.Spec, workload.Options{})
		if err != nil {
			return err
		}
		if stats.Errno != 0 {
			return fmt.Errorf("load %d branches: %w", branches, stats.Errno)
		}
		if _, err := fmt.Fprintf(a.stdout, "%s: verification time %v, %d instructions, %d states, peak %d\n",
			program.Spec.Name, stats.VerificationTime, stats.InsnsProcessed, stats.TotalStates, stats.PeakStates); err != nil {
			return outputFailure(err)
		}
	}
	return nil
}
