package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of verialloc and of the feed's schema",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	_, err := fmt.Fprintf(a.out, "verialloc %s, schema %s, %s %s/%s\n",
		tracer.Version(), record.Schema, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return outputFailure(err)
}
