package main

import (
	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/exporter/view/table"
)

func (a *app) doctorCommand() *cobra.Command {
	format := choice{"table", []string{"table", "json"}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say which hooks this kernel serves, by which means, and what to do about the rest",
		Long: `Doctor looks for each place in the kernel that verialloc wants to see, attaches to
it in a trial, and says what serves it, by which means, and if nothing does why
and what to do. It exits with 4 if something required is not there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			diagnosis, err := a.diagnose(cmd.Context())
			if err != nil {
				return err
			}
			diagnosis.Fence = a.confine(traceLimits(&traceOptions{}, false)) // in a trial, as the hooks
			if format.value == "json" {
				err = jsonl.New(a.out).Write(&diagnosis)
			} else {
				err = table.WriteDiagnosis(a.out, &diagnosis)
			}
			if err := outputFailure(err); err != nil {
				return err
			}
			if !diagnosis.OK {
				return errDiagnose
			}
			return nil
		},
	}
	cmd.Flags().VarP(&format, "format", "o", "form of the answer")
	return cmd
}
