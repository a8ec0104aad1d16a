package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// completionPatience is how long a Tab may wait for the cluster. After that there is nothing to offer, and nothing is said.
const completionPatience = 2 * time.Second

// Complete registers what completes a flag.
func Complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // there is no such flag: a mistake of the caller's
	}
}

// CompleteSource completes the flags that say what to install or build.
func CompleteSource(cmd *cobra.Command) {
	Complete(cmd, "release", Fixed(ReleaseNames()...))
	Complete(cmd, "mirror", Folders)
	Complete(cmd, "component", componentNames)
	Complete(cmd, "skip", componentNames)
}

// CompleteConnection completes kubectl's connection flags.
func (d *Deps) CompleteConnection(root *cobra.Command) {
	Complete(root, "context", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) }))
	Complete(root, "cluster", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) }))
	Complete(root, "user", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) }))
	Complete(root, "namespace", d.FromCluster(NamesOfAll("Namespace", cluster.Scope{})))
}

func ReleaseNames() []string {
	var out []string
	for _, r := range release.All() {
		out = append(out, r.Version)
	}
	return out
}

func Fixed(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}

func Folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// componentNames offers the components of the release that the command line names, or of all.
func componentNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	wanted, _ := cmd.Flags().GetString("release")
	var names []string
	for _, r := range release.All() {
		for _, c := range r.Components {
			if (wanted == "" || r.Version == wanted) && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (d *Deps) fromKubeconfig(names func(clientcmdapi.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := d.Flags.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(config), cobra.ShellCompDirectiveNoFileComp
	}
}

// clusterNames are what a cluster has to offer.
type clusterNames func(context.Context, *cluster.Client) ([]string, error)

// FromCluster offers what the cluster has, where it answers in time.
func (d *Deps) FromCluster(names clusterNames) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(cmd.Context(), completionPatience)
		defer stop()
		answered := make(chan []string, 1)
		go func() {
			var offers []string
			if c, err := d.Connect(); err == nil { // nothing to offer is all that can be said of an error
				offers, _ = names(ctx, c)
			}
			answered <- offers
		}()
		select {
		case offers := <-answered:
			return offers, cobra.ShellCompDirectiveNoFileComp
		case <-ctx.Done(): // a sign-in program or a name server that does not heed it
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

// NamesOfAll offers the names of objects. Their metadata is enough: no value of a Secret is asked for.
func NamesOfAll(kind string, in cluster.Scope) clusterNames {
	in.Metadata = true
	return func(ctx context.Context, c *cluster.Client) ([]string, error) {
		list, err := c.View().List(ctx, schema.GroupKind{Kind: kind}, in)
		var names []string
		for _, o := range list {
			names = append(names, o.GetName())
		}
		return names, err
	}
}
