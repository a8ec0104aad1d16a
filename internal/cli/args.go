package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// NoArgs rejects arguments, for commands that have only flags.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if f := cmd.Flags().Lookup("dry-run"); f != nil && f.Changed { // its value is optional
		return &problem.Error{Usage: true, What: fmt.Sprintf("invalid value %q for --dry-run", args[0]), Next: "Specify one of: none, client, server"}
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("unexpected argument %[2]q for %[1]s", cmd.CommandPath(), args[0]), Next: fmt.Sprintf("See the usage with: %s --help", cmd.CommandPath())}
}
