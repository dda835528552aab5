package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer"
)

func (a *app) stressCommand() *cobra.Command {
	branches, repeat := number{1000, "a number from 1 up"}, number{1, "a number from 1 up"}
	cmd := &cobra.Command{
		Use:   "stress",
		Short: "Load a generated program with many conditional branches",
		Long: `Stress loads "if (x == n) x++" for n from 0 up as a socket filter, so that there is
something to trace, and prints the verifier's own statistics of each load.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stress(cmd.Context(), branches.value, repeat.value)
		},
	}
	cmd.Flags().Var(&branches, "branches", "conditional branches in the program")
	cmd.Flags().Var(&repeat, "repeat", "loads, one after the other")
	return cmd
}

func (a *app) stress(ctx context.Context, branches, repeat int) error {
	program := generate.Stress(branches)
	for range repeat {
		stats, err := loadUntil(ctx, program.Spec)
		if err == nil && stats.Errno != 0 {
			err = stats.Errno
		}
		if err != nil {
			return stressFailure(ctx, branches, err)
		}
		if _, err := fmt.Fprintf(a.out, "%s: verification time %v, %d instructions, %d states, peak %d\n",
			program.Spec.Name, stats.VerificationTime, stats.InsnsProcessed, stats.TotalStates, stats.PeakStates); err != nil {
			return outputFailure(err)
		}
	}
	return nil
}

// loadUntil loads a program, and does not wait for it once ctx is done: the end of
// the process ends a verification.
func loadUntil(ctx context.Context, spec *ebpf.ProgramSpec) (load.Stats, error) {
	if err := ctx.Err(); err != nil {
		return load.Stats{}, err
	}
	type result struct {
		stats load.Stats
		err   error
	}
	loaded := make(chan result, 1)
	go func() {
		stats, err := load.Load(spec, load.Options{})
		loaded <- result{stats, err}
	}()
	select {
	case r := <-loaded:
		return r.stats, r.err
	case <-ctx.Done():
		return load.Stats{}, ctx.Err()
	}
}

// stressFailure says why a load failed, in the words of who asked for it.
func stressFailure(ctx context.Context, branches int, err error) error {
	if cause, ok := errors.AsType[signalled](context.Cause(ctx)); ok {
		if number, ok := cause.Signal.(syscall.Signal); ok {
			return commandExit(signalBase + int(number))
		}
	}
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("%w: %w", tracer.ErrPermission, err)
	case errors.Is(err, syscall.E2BIG):
		err = fmt.Errorf("the program exceeds the kernel's limit of instructions: take fewer --branches: %w", err)
	}
	return fmt.Errorf("load %d branches: %w", branches, err)
}
