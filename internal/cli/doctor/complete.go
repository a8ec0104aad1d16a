package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

func completeDoctor(d *cli.Deps, cmd *cobra.Command) {
	cmd.ValidArgsFunction = checkIDs
	cli.Complete(cmd, "explain", checkIDs)
	cli.Complete(cmd, "suppress", checkIDs)
	cli.Complete(cmd, "undo", d.FromCluster(runNames))
	cli.Complete(cmd, "from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"tar.gz", "tgz"}, cobra.ShellCompDirectiveFilterFileExt
	})
}

// checkIDs completes the IDs of checks, with their titles, and their areas.
func checkIDs(_ *cobra.Command, typed []string, _ string) ([]string, cobra.ShellCompDirective) {
	var offers []string
	areas := map[string]bool{}
	for _, c := range checks.Every() {
		area, _, _ := strings.Cut(c.ID, "/")
		if !areas[area] {
			areas[area] = true
			offers = append(offers, cobra.CompletionWithDesc(area, "all checks of "+area))
		}
		if !slices.Contains(typed, c.ID) {
			offers = append(offers, cobra.CompletionWithDesc(c.ID, c.Title))
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

func runNames(ctx context.Context, c *cluster.Client) ([]string, error) {
	runs, err := fixes.Runs(ctx, c)
	var names []string
	for _, run := range runs {
		names = append(names, run.Name)
	}
	return names, err
}
