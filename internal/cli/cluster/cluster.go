package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Run runs another command line of this program.
type Run func(ctx context.Context, args ...string) error

// NewCommand returns the command "kubectl kubeflow cluster". run goes on with an install.
func NewCommand(d *cli.Deps, run Run) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cluster", Short: "Create, list, start, stop and delete AKS clusters for Kubeflow",
		Long: `Create, list, start, stop and delete clusters of Azure Kubernetes Service (AKS)
that are fit for Kubeflow. The commands use the sign-in of the Azure CLI, or
another credential that Azure's SDK finds; the az program itself is needed for
nothing else.`,
		Example: `  kubectl kubeflow cluster create kf -g kubeflow --location westeurope
  kubectl kubeflow cluster credentials kf -g kubeflow
  kubectl kubeflow cluster delete kf -g kubeflow`,
	}
	cli.GroupCommand(cmd)
	cmd.AddCommand(newCreateCommand(d, run), newCredentialsCommand(d), newListCommand(d), newPowerCommand(d, starting), newPowerCommand(d, stopping), newDeleteCommand(d), newPluginCommand(d))
	return cmd
}

// A place is where in Azure a cluster is, and how Azure is reached.
type place struct {
	*cli.Deps
	group, subscription, cloud, endpoint string
}

func (p *place) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&p.group, "resource-group", "g", "", "the `NAME` of the resource group")
	f.StringVar(&p.subscription, "subscription", "", "the `ID` or name of the subscription (default: that of az, or $AZURE_SUBSCRIPTION_ID)")
	clouds.Add(cmd, f, &p.cloud, "", "the cloud, as in az cloud list: `NAME` is %s (default: that of the subscription)")
	f.StringVar(&p.endpoint, "arm-endpoint", "", "the `URL` of another Azure Resource Manager than the cloud's own")
}

var clouds = cli.Choice{Flag: "cloud", Values: []string{"AzureCloud", "AzureChinaCloud", "AzureUSGovernment"}}

// client connects to Azure, when the first call is made.
func (p *place) client(ctx context.Context) (*azure.Client, error) {
	if err := clouds.Check(p.cloud); err != nil {
		return nil, err
	}
	return azure.NewClient(ctx, azure.Settings{Subscription: p.subscription, Cloud: p.cloud, Endpoint: p.endpoint, Notify: func(text string) { p.Screen().Say("%s", text) }})
}

// name validates the argument and the resource group.
func (p *place) name(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &problem.Error{Usage: true, What: "no name for the cluster", Next: fmt.Sprintf("Specify one: %s NAME --resource-group GROUP", cmd.CommandPath())}
	case len(args) > 1:
		return &problem.Error{Usage: true, What: "more than one name", Next: "Specify one cluster"}
	case p.group == "":
		return &problem.Error{Usage: true, What: "no resource group", Next: "Specify one with --resource-group"}
	}
	return nil
}

// quiet is how long nothing is printed about an operation under way, where it cannot be redrawn in place.
const quiet = time.Minute

// progress shows what Azure does: each step, and how far an operation is once in a while.
func (p *place) progress() azure.Progress {
	last, said := "", time.Time{}
	return func(text string) {
		stage, _, _ := strings.Cut(text, ": ")
		brief := stage == last && p.Now().Sub(said) < quiet
		if !brief {
			last, said = stage, p.Now()
		}
		p.Notify(kubeflow.Notice{Step: true, Text: text, Brief: brief})
	}
}
