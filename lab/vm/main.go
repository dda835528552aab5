package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/lab/internal/kernels"
)

func main() {
	// SIGQUIT is what go test sends to a test that takes too long.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	context.AfterFunc(ctx, stop) // a second signal ends the runner at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "vm",
		Short:         "Run a command on a stock Debian kernel in QEMU",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(runCommand(), fetchCommand(), toolsCommand(), listCommand(), qemuCommand())
	err := root.ExecuteContext(ctx)
	_, isCommand := errors.AsType[commandExit](err)
	if err != nil && !isCommand {
		if ctx.Err() != nil {
			err = errInterrupted // whatever it made fail
		}
		reportFailure(stderr, err)
	}
	return exitCode(err)
}

// openCache opens the cache of kernels, below the user's cache directory.
func openCache(stderr io.Writer) (*kernels.Cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w: set XDG_CACHE_HOME", err)
	}
	cache, err := kernels.Open(filepath.Join(base, "verialloc"), func(line string) {
		fmt.Fprintln(stderr, "vm: warning:", line)
	})
	if err == nil {
		cache.ShowProgress(stderr)
	}
	return cache, err
}
