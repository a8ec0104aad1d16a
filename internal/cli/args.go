package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// NoArgs is for commands that take flags alone.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("%s takes no argument %q", cmd.CommandPath(), args[0]), Next: fmt.Sprintf("See its flags with: %s --help", cmd.CommandPath())}
}
