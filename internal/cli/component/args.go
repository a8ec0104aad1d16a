package component

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// one validates the arguments: the name of one component.
func one(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	what := "specify one component"
	if len(args) > 1 {
		what = fmt.Sprintf("unexpected argument %q: specify one component", args[1])
	}
	return &problem.Error{Usage: true, What: what, Next: fmt.Sprintf("For example: %s pipelines. List the components with: kubectl kubeflow status -v", cmd.CommandPath())}
}

// names completes the names of components.
func names(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return cli.ComponentNames(""), cobra.ShellCompDirectiveNoFileComp
}
