package auth

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func newEntraCommand(d *cli.Deps) *cobra.Command {
	o := &identityOptions{Deps: d}
	entra := signin.Entra{}
	cmd := &cobra.Command{
		Use: "entra", Short: "Let users sign in with Microsoft Entra ID",
		Long: `Let the users of a tenant of Microsoft Entra ID sign in. With --via dex, Entra
ID is offered beside the users that dex knows itself; with --via oauth2-proxy
(Kubeflow 1.9 and later), it replaces dex. A workload identity, which needs no
client secret, needs --via oauth2-proxy and oauth2-proxy 7.8 (Kubeflow 26.03).

Before anything is changed, Entra ID is asked whether it knows the client, its
redirect URI and its secret. Everything that has to change together is shown as
one plan, with the az commands that register the client. The old sign-in works
until the new one is in place. If the login page then does not lead to Entra ID,
all changes are reverted. An install and an upgrade keep the provider.

In Kubeflow, users have their principal name (ann@example.com). Kubeflow does
not use groups.

Interrupted, the same command completes the change, and --remove undoes it.

Exit codes: 0 users sign in this way, or would (dry run); 1 not changed.`,
		Example: `  kubectl kubeflow auth entra --tenant ID --client-id ID \
    --client-secret-file FILE --dry-run
  kubectl kubeflow auth entra --tenant ID --client-id ID \
    --workload-identity --via oauth2-proxy
  kubectl kubeflow auth entra --remove`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), "entra", func(secret string) signin.Identity {
				return signin.NewEntra(entra, o.clientID, secret, o.via, o.url)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&entra.Tenant, "tenant", "", "the `ID` of the tenant whose users sign in")
	f.StringVar(&entra.Cloud, "cloud", signin.Clouds[0].Name, "the `NAME` of Azure's cloud, as az calls it")
	f.BoolVar(&entra.WorkloadIdentity, "workload-identity", false, "prove the client with the token of oauth2-proxy's ServiceAccount instead of a secret")
	o.addFlags(cmd)
	var names []string
	for _, c := range signin.Clouds {
		names = append(names, c.Name)
	}
	cli.Complete(cmd, "cloud", cli.Fixed(names...))
	return cmd
}
