package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func guardCommand() *cobra.Command {
	var limit float64
	cmd := &cobra.Command{
		Use:   "guard",
		Short: "Fail if tracing takes more than it should over empty programs, in a guest",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ratio, err := overEmpty("stress-1000")
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "verification time, traced over empty programs on the same hooks: %.3f\n", ratio)
			if ratio > limit {
				return fmt.Errorf("ratio %.3f is above %.3f", ratio, limit)
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&limit, "limit", 0, "the greatest ratio that is well")
	cobra.CheckErr(cmd.MarkFlagRequired("limit"))
	return cmd
}

// overEmpty returns a load's time under verialloc over that under empty programs on the
// hooks that verialloc uses.
func overEmpty(name string) (float64, error) {
	times := map[string]float64{}
	for _, v := range variants() {
		if v.name != "verialloc, ledger + latency" && v.name != "empty, ledger + latency" {
			continue
		}
		for _, l := range loads() {
			if l.name != name {
				continue
			}
			r := under(v, []task{l}, false)[0]
			if r.Failure != "" {
				return 0, fmt.Errorf("%s: %s", v.name, r.Failure)
			}
			if r.Lost > 0 || r.Inexact > 0 {
				return 0, fmt.Errorf("%s: %d events lost, %d records not exact", v.name, r.Lost, r.Inexact)
			}
			times[v.name] = float64(r.NS)
		}
	}
	return times["verialloc, ledger + latency"] / times["empty, ledger + latency"], nil
}
