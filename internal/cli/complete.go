package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// completionTimeout limits how long a completion waits for the cluster. After that it offers nothing.
const completionTimeout = 2 * time.Second

// Complete registers the completion of a flag.
func Complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // a programming error: no such flag
	}
}

// CompleteSource completes the flags that select what to install or build.
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

// ReleaseNames returns the versions of all known releases.
func ReleaseNames() []string {
	var out []string
	for _, r := range release.All() {
		out = append(out, r.Version)
	}
	return out
}

// Fixed completes a flag with fixed values.
func Fixed(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}

// Folders completes a flag with folders.
func Folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// componentNames completes the components of the release on the command line, or of all releases.
func componentNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	chosen, _ := cmd.Flags().GetString("release")
	return ComponentNames(chosen), cobra.ShellCompDirectiveNoFileComp
}

// ComponentNames returns the components of a release, or with "" of all.
func ComponentNames(chosen string) []string {
	var names []string
	for _, r := range release.All() {
		for _, c := range r.Components {
			if (chosen == "" || r.Version == chosen) && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (d *Deps) fromKubeconfig(names func(clientcmdapi.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := d.Flags.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(names(config)), cobra.ShellCompDirectiveNoFileComp
	}
}

// clusterNames reads completions from a cluster.
type clusterNames func(context.Context, *cluster.Client) ([]string, error)

// FromCluster completes a flag with names from the cluster, if it responds in time.
func (d *Deps) FromCluster(names clusterNames) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(cmd.Context(), completionTimeout)
		defer stop()
		answered := make(chan []string, 1)
		go func() {
			var offers []string
			if c, err := d.Connect(); err == nil { // an error offers nothing
				offers, _ = names(ctx, c)
			}
			answered <- words(offers)
		}()
		select {
		case offers := <-answered:
			return offers, cobra.ShellCompDirectiveNoFileComp
		case <-ctx.Done(): // a credential plugin or a DNS lookup that ignores ctx
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

// NamesOfAll completes the names of objects. It reads only metadata, and so no values of Secrets.
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

// words leaves out names that a shell would not take as they are: completion scripts put them into the command line.
func words(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return escape.Word(name) != name })
}
