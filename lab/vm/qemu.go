package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/lab/internal/kernels"
	"github.com/verialloc/verialloc/lab/internal/qemu"
)

// The values of --qemu.
const (
	qemuAuto    = "auto"
	qemuArchive = "archive"
	qemuMachine = "machine"
)

const qemuUsage = "QEMU to run: machine (this machine's), archive (Debian's newest), or auto: the machine's " +
	"where it is new enough, or else the archive's, or else the machine's"

func qemuCommand() *cobra.Command {
	var (
		which   string
		refresh bool
	)
	cmd := &cobra.Command{
		Use:   "qemu",
		Short: "Print the version, origin and path of the QEMU that run takes, fetched when it is missing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cache, err := openCache(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			e, err := findEmulator(cmd.Context(), cache, which, refresh, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\n", e.Version, e.Origin, e.Program())
			return err
		},
	}
	cmd.Flags().StringVar(&which, "qemu", qemuAuto, qemuUsage)
	cmd.Flags().BoolVar(&refresh, "refresh", false, "renew the archive's index and bring its newest QEMU")
	return cmd
}

// findEmulator returns the QEMU that a value of --qemu asks for.
func findEmulator(ctx context.Context, cache *kernels.Cache, which string, refresh bool, stderr io.Writer) (qemu.Emulator, error) {
	fromArchive := func() (qemu.Emulator, error) {
		tree, err := cache.Emulator(ctx, refresh)
		if err != nil {
			return qemu.Emulator{}, err
		}
		return qemu.InTree(ctx, tree)
	}
	switch which {
	case qemuMachine:
		return qemu.Installed(ctx)
	case qemuArchive:
		return fromArchive()
	case qemuAuto:
		return preferred(func() (qemu.Emulator, error) { return qemu.Installed(ctx) }, fromArchive, stderr)
	default:
		return qemu.Emulator{}, fmt.Errorf("--qemu %s: want %s, %s or %s", which, qemuAuto, qemuArchive, qemuMachine)
	}
}

// preferred returns the machine's QEMU where guests with two CPUs boot under it, or
// else the archive's, or else the machine's all the same.
func preferred(installed, fromArchive func() (qemu.Emulator, error), stderr io.Writer) (qemu.Emulator, error) {
	own, ownErr := installed()
	if ownErr == nil && own.TwoCPUs() {
		return own, nil
	}
	newer, err := fromArchive()
	if err == nil {
		return newer, nil
	}
	if ownErr != nil {
		return qemu.Emulator{}, fmt.Errorf("%w; nor can the archive's be had: %w", ownErr, err)
	}
	fmt.Fprintf(stderr, "vm: warning: no newer QEMU than this machine's %s: %v\n", own.Version, err)
	return own, nil
}
