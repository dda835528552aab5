package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/lab/internal/kernels"
)

func fetchCommand() *cobra.Command {
	var refresh bool
	cmd := &cobra.Command{
		Use:   "fetch KERNEL...",
		Short: "Bring the newest kernel of each series (6.12), or one release, into the cache",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cache, err := openCache(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			for _, name := range args {
				release, err := cache.Fetch(cmd.Context(), name, refresh)
				if err != nil {
					return err
				}
				refresh = false // once is enough
				fmt.Fprintln(cmd.OutOrStdout(), cache.Image(release))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&refresh, "refresh", false, "renew the archive's index, even if it is only some hours old")
	return cmd
}

func toolsCommand() *cobra.Command {
	var refresh bool
	cmd := &cobra.Command{
		Use:   "tools PACKAGE...",
		Short: "Unpack Debian's newest packages and what they need into the cache, and print where",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cache, err := openCache(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			tree, err := cache.Tools(cmd.Context(), args, refresh)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), tree)
			return err
		},
	}
	cmd.Flags().BoolVar(&refresh, "refresh", false, "renew the archive's index, even if it is only some hours old")
	return cmd
}

func listCommand() *cobra.Command {
	var refresh bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the series that the archive serves and the kernels in the cache",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cache, err := openCache(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			cached, err := cache.Cached()
			if err != nil {
				return err
			}
			served, err := cache.Served(cmd.Context(), refresh)
			if err != nil {
				// The cached kernels work without the archive too.
				fmt.Fprintln(cmd.ErrOrStderr(), "vm: warning:", err)
			}
			return printList(cmd, served, cached)
		},
	}
	cmd.Flags().BoolVar(&refresh, "refresh", false, "renew the archive's index, even if it is only some hours old")
	return cmd
}

// printList prints one line for each kernel that is served or cached.
func printList(cmd *cobra.Command, served []kernels.Candidate, cached []string) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SERIES\tRELEASE\tSERVED\tCACHED")
	isCached := map[string]bool{}
	for _, release := range cached {
		isCached[release] = true
	}
	for _, c := range served {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", kernels.Series(c.Release), c.Release, c.Version, yesNo(isCached[c.Release]))
		delete(isCached, c.Release)
	}
	for _, release := range cached {
		if isCached[release] { // and no longer the newest that is served
			fmt.Fprintf(table, "%s\t%s\t-\tyes\n", kernels.Series(release), release)
		}
	}
	return table.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
