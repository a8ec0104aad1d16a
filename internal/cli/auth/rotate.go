package auth

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

func newRotateCommand(d *cli.Deps) *cobra.Command {
	o := &change{Deps: d}
	cmd := &cobra.Command{
		Use: "rotate-secrets", Short: "Replace default secrets with random ones",
		Long: `Replace the default secrets by random ones: the client secret that dex shares
with oauth2-proxy or authservice, the key that signs session cookies, and the
key of the object store of Kubeflow Pipelines. Those are in the manifests of
every release: any client that reaches the dashboard can forge a session with
them, and any pod can read all artifacts. The programs are restarted. All users
have to sign in again. Pipelines that run fail when they save artifacts.
The key of the object store is replaced in namespace kubeflow and in the
Profiles that have a copy of it. Copies that users made, for example for KServe,
have to be changed by hand. If a program does not run with the new secrets,
the old ones are restored. Secrets that are not the default ones stay. To
restore the old ones: kubectl kubeflow doctor --undo

Exit codes: 0 replaced, or nothing to replace; 1 not replaced.`,
		Example: `  kubectl kubeflow auth rotate-secrets --dry-run  # preview
  kubectl kubeflow auth rotate-secrets`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.Positive(o.timeout, "5m"); err != nil {
				return err
			}
			client, err := o.Connect()
			if err != nil {
				return err
			}
			report, err := kubeflow.RotateSecrets(cmd.Context(), client, o.options())
			if err := o.result(report, err, "a secret"); err != nil || bool(o.dryRun) {
				return err
			}
			if len(report.Fixes) == 0 {
				o.Screen().Say("There are no default secrets. Nothing was changed.")
				return nil
			}
			o.Screen().Say("%s The default secrets are replaced. All users have to sign in again.", o.Screen().Done())
			return nil
		},
	}
	cmd.Flags().SortFlags = false
	o.addFlags(cmd)
	return cmd
}
