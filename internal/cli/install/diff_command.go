package install

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
)

const diffLong = `Show what install would change on the cluster of the current context, object by
object, without changing anything: the same as install --diff. Exit code 3 means
that there are differences.`

const diffExample = `  kubectl kubeflow diff                  # what an install would change now
  kubectl kubeflow diff --release 26.03  # for a specific release
  kubectl kubeflow diff -o json          # the plan, for scripts`

// NewDiffCommand returns the command "kubectl kubeflow diff": install with --diff, without the flags of what is not done.
func NewDiffCommand(d *cli.Deps) *cobra.Command {
	o := &installOptions{Deps: d}
	cmd := newCommand(o)
	cmd.Use, cmd.Short, cmd.Long, cmd.Example = "diff", "Show what install would change", diffLong, diffExample
	install := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.diff = true
		return install(cmd, args)
	}
	for _, name := range []string{"diff", "dry-run", "wait", "timeout", "yes", "verify"} {
		_ = cmd.Flags().MarkHidden(name) // they exist
	}
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "What to compare with", Flags: []string{"release", "filename", "dir", "component", "skip", "name"}},
		cli.FlagGroup{Title: "Sources", Flags: []string{"mirror", "skip-verify", "load-restrictor", "image"}},
		cli.FlagGroup{Title: "Compatibility patches", Flags: []string{"adapt", "gpu-tolerations"}},
		cli.FlagGroup{Title: "Conflicts", Flags: []string{"suppress", "adopt", "recreate", "allow-downgrade"}},
	)
	return cmd
}
