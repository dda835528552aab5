package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "corpus", Short: "Build a corpus of real BPF objects", SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(buildCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func buildCommand() *cobra.Command {
	var b builder
	cmd := &cobra.Command{
		Use:   "build --vm PATH --kernel SERIES",
		Short: "Build the corpus where it is not there yet, and print where it is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.log = cmd.ErrOrStderr()
			place, err := b.build(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), place)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.vm, "vm", "", "the built lab/vm")
	f.StringVar(&b.series, "kernel", "", "the series whose selftests are compiled, against whose types")
	f.BoolVar(&b.all, "all", false, "compile all selftests, not the selected ones alone")
	f.StringVar(&b.clang, "clang", "clang-19", "the compiler")
	f.StringVar(&b.strip, "strip", "llvm-strip-19", "what removes debug information")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("vm"), cmd.MarkFlagRequired("kernel")))
	return cmd
}
