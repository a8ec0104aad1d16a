package auth

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func newEntraCommand(d *cli.Deps) *cobra.Command {
	o := &identityOptions{Deps: d}
	entra, createApp := signin.Entra{}, false
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

--create-app registers the client through Microsoft Graph, with your sign-in of
az: one app registration for each cluster, which is completed if it exists. Its
client secret is kept in the cluster. --remove never deletes it, and says how.
In Kubeflow, users have their principal name (ann@example.com). Kubeflow does
not use groups.

Interrupted, the same command completes the change, and --remove undoes it.

Exit codes: 0 users sign in this way, or would (dry run); 1 not changed.`,
		Example: `  kubectl kubeflow auth entra --tenant ID --client-id ID \
    --client-secret-file FILE --dry-run
  kubectl kubeflow auth entra --tenant ID --client-id ID \
    --workload-identity --via oauth2-proxy
  kubectl kubeflow auth entra --tenant ID --create-app
  kubectl kubeflow auth entra --remove`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if createApp {
				if err := o.createsApp(entra); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), "entra", func(secret string) signin.Identity {
				return signin.NewEntra(entra, o.clientID, secret, o.via, o.url)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&entra.Tenant, "tenant", "", "the `ID` of the tenant whose users sign in")
	f.StringVar(&entra.Cloud, "cloud", signin.Clouds[0].Name, "the `NAME` of Azure's cloud, as az calls it")
	f.BoolVar(&createApp, "create-app", false, "create the app registration, or complete the one of this cluster, instead of using --client-id")
	f.BoolVar(&entra.WorkloadIdentity, "workload-identity", false, "prove the client with the token of oauth2-proxy's ServiceAccount instead of a secret")
	o.addFlags(cmd)
	var names []string
	for _, c := range signin.Clouds {
		names = append(names, c.Name)
	}
	cli.Complete(cmd, "cloud", cli.Fixed(names...))
	return cmd
}

// createsApp makes the command create the app registration.
func (o *identityOptions) createsApp(e signin.Entra) error {
	switch {
	case o.remove:
		return &problem.Error{Usage: true, What: "--create-app cannot be used with --remove", Next: "Leave out one of the two"}
	case o.clientID != "" || o.secretFile != "":
		return &problem.Error{Usage: true, What: "--create-app cannot be used with --client-id or --client-secret-file", Next: "Leave out --create-app to use an app registration of your own"}
	}
	o.graph = &azure.Directory{Tenant: e.Tenant, Cloud: e.Cloud, Endpoint: e.Graph(), Notify: func(line string) { o.Screen().Say("%s", line) }}
	return nil
}
