package cluster

import (
	"context"
	"os/exec"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

func newCredentialsCommand(d *cli.Deps) *cobra.Command {
	p := &place{Deps: d}
	var admin bool
	cmd := &cobra.Command{
		Use: "credentials NAME", Aliases: []string{"get-credentials"}, Short: "Add a cluster to the kubeconfig",
		Long: `Add a cluster to the kubeconfig, and make it the current context. The file of
--kubeconfig is written, else the first of $KUBECONFIG, else ~/.kube/config. If
an entry of the same name with another content is replaced, the file as it was
is kept beside it. kubelogin signs in with the Azure CLI.

--admin asks for the cluster's administrator credentials instead: a certificate
that belongs to no person. Whoever has it has all permissions in the cluster.

Exit codes: 0 written, 1 not.`,
		Example: `  kubectl kubeflow cluster credentials kf -g kubeflow
  kubectl kubeflow cluster credentials kf -g kubeflow --kubeconfig ./kf.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.name(cmd, args); err != nil {
				return err
			}
			client, err := p.client(cmd.Context())
			if err != nil {
				return err
			}
			_, err = p.merge(cmd.Context(), client, args[0], admin)
			return err
		},
	}
	p.addFlags(cmd)
	cmd.Flags().BoolVar(&admin, "admin", false, "get the administrator's credentials, which belong to no person")
	return cmd
}

// merge writes the credentials of a cluster to the kubeconfig.
func (p *place) merge(ctx context.Context, client *azure.Client, name string, admin bool) (*azure.Merged, error) {
	config, err := client.Credentials(ctx, p.group, name, admin)
	if err != nil {
		return nil, err
	}
	merged, err := azure.Merge(ctx, p.kubeconfig(), config, p.Now())
	if err != nil {
		return nil, err
	}
	s := p.Screen()
	s.Say("%s Context %s is the current one in %s", s.Done(), merged.Context, merged.File)
	if len(merged.Replaced) > 0 {
		s.Say("Replaced %s. The file as it was: %s", text.And(merged.Replaced...), merged.Backup)
	}
	for _, user := range config.AuthInfos {
		if user.Exec == nil {
			continue
		}
		if _, err := exec.LookPath(user.Exec.Command); err != nil {
			s.Say("Warning: kubelogin is not installed, and kubectl needs it to sign in: see https://aka.ms/aks/kubelogin")
		}
	}
	return merged, nil
}

// kubeconfig returns the file to write to: with several in $KUBECONFIG, the first.
func (p *place) kubeconfig() string {
	if p.Flags.KubeConfig != nil && *p.Flags.KubeConfig != "" {
		return *p.Flags.KubeConfig
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	return rules.GetDefaultFilename()
}
