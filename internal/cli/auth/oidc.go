package auth

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func newOIDCCommand(d *cli.Deps) *cobra.Command {
	o := &identityOptions{Deps: d}
	var issuer, name, title string
	cmd := &cobra.Command{
		Use: "oidc", Short: "Let users sign in with an OpenID Connect provider",
		Long: `Let users sign in with an OpenID Connect provider, such as Google, Okta or
Keycloak. With --via dex, the provider is offered beside the users that dex
knows itself; with --via oauth2-proxy (Kubeflow 1.9 and later), it replaces dex.

Before anything is changed, the provider is asked whether it knows the client,
its redirect URI and its secret. Everything that has to change together is shown
as one plan: the settings of dex and oauth2-proxy or authservice, the client
secret, and the issuer whose tokens the gateway accepts. The old sign-in works
until the new one is in place. If the login page then does not lead to the
provider, all changes are reverted. An install and an upgrade keep the provider.

Interrupted, the same command completes the change, and --remove undoes it.

Exit codes: 0 users sign in this way, or would (dry run); 1 not changed.`,
		Example: `  kubectl kubeflow auth oidc --issuer https://accounts.google.com \
    --client-id ID --client-secret-file FILE --dry-run
  kubectl kubeflow auth oidc --remove`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), "oidc", func(secret string) signin.Identity {
				return signin.Identity{Name: name, Title: cmp.Or(title, name), Issuer: issuer, ClientID: o.clientID, Secret: secret, Via: o.via, URL: o.url, Claim: "email"}
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&issuer, "issuer", "", "the `URL` of the issuer, as its discovery document names it")
	f.StringVar(&name, "name", "oidc", "the `NAME` of the connector of dex")
	f.StringVar(&title, "title", "", "the `TITLE` of the provider on the login page (default: its name)")
	o.addFlags(cmd)
	return cmd
}
