package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

// A listing is the result of -o json and yaml.
type listing struct {
	APIVersion   string            `json:"apiVersion"`
	Kind         string            `json:"kind"`
	Subscription string            `json:"subscription"`
	Clusters     []*azure.Existing `json:"clusters"`
}

var listOutput = cli.Outputs("", "json", "yaml")

func newListCommand(d *cli.Deps) *cobra.Command {
	p := &place{Deps: d}
	var all bool
	var output string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the clusters that this program created",
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := listOutput.Check(output); err != nil {
				return err
			}
			return p.list(cmd.Context(), all, output)
		},
	}
	p.addFlags(cmd)
	cmd.Flags().BoolVarP(&all, "all", "A", false, "list also clusters that other programs created")
	listOutput.Add(cmd, cmd.Flags(), &output, "o", "print the result as `FORMAT`: %s")
	return cmd
}

func (p *place) list(ctx context.Context, all bool, output string) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	p.Step("Listing the clusters")
	found, err := client.List(ctx, p.group, all)
	p.Step("")
	switch {
	case err != nil:
		return err
	case output != "":
		result := listing{APIVersion: apiVersion, Kind: "ClusterList", Subscription: client.Subscription, Clusters: append([]*azure.Existing{}, found...)}
		return cli.PrintDocument(p.Out, output, result)
	case len(found) == 0:
		fmt.Fprintln(p.ErrOut, "No cluster was found. Create one with: kubectl kubeflow cluster create NAME -g GROUP --location REGION")
		return nil
	}
	var rows [][]string
	for _, e := range found {
		rows = append(rows, []string{e.Name, e.ResourceGroup, e.Location, e.Kubernetes, fmt.Sprint(e.Nodes), e.State, e.Power})
	}
	return p.Screen().Table([]string{"NAME", "RESOURCE GROUP", "LOCATION", "KUBERNETES", "NODES", "STATE", "POWER"}, rows)
}
