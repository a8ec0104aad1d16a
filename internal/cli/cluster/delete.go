package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

// mostOthers is how many other resources of a group are named.
const mostOthers = 5

func newDeleteCommand(d *cli.Deps) *cobra.Command {
	p := &place{Deps: d}
	var yes bool
	var dryRun cli.DryRun
	cmd := &cobra.Command{
		Use: "delete NAME", Aliases: []string{"rm"}, Short: "Delete a cluster that this program created, with all its data",
		Long: `Delete a cluster that this program created, with its nodes, its disks and all
data on them. This cannot be undone. The resource group is deleted with it if
this program created that too and it holds nothing else; what else it holds is
listed. You confirm by typing the name of the cluster.

Exit codes: 0 deleted, 1 not.`,
		Example: `  kubectl kubeflow cluster delete kf -g kubeflow --dry-run
  kubectl kubeflow cluster delete kf -g kubeflow`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.name(cmd, args); err != nil {
				return err
			}
			return p.delete(cmd.Context(), args[0], yes, bool(dryRun))
		},
	}
	p.addFlags(cmd)
	cli.AddDryRun(cmd, cmd.Flags(), &dryRun, "preview without deleting anything; `MODE` is client or server, which are the same here")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for the name of the cluster")
	return cmd
}

func (p *place) delete(ctx context.Context, name string, yes, dryRun bool) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	deletion, err := client.PrepareDelete(ctx, p.group, name)
	if err != nil {
		return err
	}
	p.showDeletion(deletion)
	if dryRun {
		return nil
	}
	if !yes {
		if err := p.MustAsk("Confirm with --yes, or preview with --dry-run"); err != nil {
			return err
		}
		typed, err := p.Screen().Ask(ctx, "This cannot be undone. Type the name of the cluster to go on:")
		if err != nil {
			return err
		}
		if typed != name {
			return cli.ErrCancelled
		}
	}
	if err := client.Delete(ctx, deletion, p.progress()); err != nil {
		return err
	}
	p.Step("")
	s := p.Screen()
	s.Say("%s Cluster %s is deleted", s.Done(), name)
	if config, err := clientcmd.LoadFromFile(p.kubeconfig()); err == nil && config.Contexts[name] != nil {
		s.Say("%s still has the context %s. Remove it with: %s", p.kubeconfig(), line(name), escape.Commandf("kubectl config delete-context %s", name))
	}
	return nil
}

// showDeletion prints what is deleted, and what stays.
func (p *place) showDeletion(d *azure.Deletion) {
	out := func(format string, args ...any) { fmt.Fprintf(p.Out, format+"\n", args...) }
	out("Will delete  cluster %s in resource group %s, with all data in it", line(d.Cluster.Name), line(d.Cluster.ResourceGroup))
	if d.NodeGroup != "" {
		out("             resource group %s: its nodes, disks and addresses", line(d.NodeGroup))
	}
	switch {
	case d.WithGroup():
		out("             resource group %s, which this program created and which holds nothing else", line(d.Cluster.ResourceGroup))
	case len(d.Others) > 0:
		out("Will keep    resource group %s, with %s", line(d.Cluster.ResourceGroup), text.Names(d.Others, mostOthers, func(r azure.Resource) string { return line(r.Type + " " + r.Name) }))
	default:
		out("Will keep    resource group %s, which this program did not create", line(d.Cluster.ResourceGroup))
	}
}
