package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// completionPatience is how long a Tab may wait for the cluster. After that there is nothing to offer, and nothing is said.
const completionPatience = 2 * time.Second

// choices are the values of flags that take one of a few, by command and flag.
var choices = map[string][]string{
	"install output": {"yaml", "json", "name"}, "install dry-run": {"none", "client", "server"}, "install adapt": {"auto", "aks", "none"},
	"build output": {"json", "yaml"}, "build adapt": {"auto", "aks", "none"},
	"status output": {"wide", "json", "yaml"}, "uninstall output": {"json", "yaml", "name"}, "uninstall dry-run": {"none", "client", "server"},
	"doctor output": {"table", "wide", "short", "json", "yaml", "markdown", "junit", "sarif"}, "doctor fail-on": {"error", "warning", "info"},
	"expose output": {"json", "yaml", "name"}, "expose dry-run": {"none", "client", "server"}, "expose tls": tlsModes, "expose address": {"localhost", "0.0.0.0"},
	"bundle output": {"name", "json", "yaml"}, "releases output": {"table", "wide", "json", "yaml", "name"}, "version output": {"json", "yaml"},
}

// completed gives every flag and argument that can be completed what it may be.
func (d *deps) completed(root *cobra.Command) {
	flag := func(cmd *cobra.Command, name string, offer cobra.CompletionFunc) {
		if cmd.Flags().Lookup(name) == nil && cmd.PersistentFlags().Lookup(name) == nil {
			panic("no flag " + name) // a mistake in this file
		}
		if err := cmd.RegisterFlagCompletionFunc(name, offer); err != nil {
			panic(err)
		}
	}
	command := func(name string) *cobra.Command {
		found, _, err := root.Find([]string{name})
		if err != nil || found == root {
			panic("no command " + name)
		}
		return found
	}
	for place, values := range choices {
		name, f, _ := strings.Cut(place, " ")
		flag(command(name), f, fixed(values...))
	}
	flag(root, "color", fixed("auto", "always", "never"))
	flag(root, "context", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) }))
	flag(root, "cluster", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) }))
	flag(root, "user", d.fromKubeconfig(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) }))
	flag(root, "namespace", d.fromCluster(namesOfAll("Namespace", cluster.Scope{})))
	for _, name := range []string{"install", "build", "releases"} {
		flag(command(name), "release", fixed(releaseNames()...))
		flag(command(name), "mirror", folders)
	}
	for _, name := range []string{"install", "build"} {
		flag(command(name), "component", componentNames)
		flag(command(name), "skip", componentNames)
		flag(command(name), "dir", folders)
	}
	doctorCommand := command("doctor")
	doctorCommand.ValidArgsFunction = checkIDs
	flag(doctorCommand, "explain", checkIDs)
	flag(doctorCommand, "suppress", checkIDs)
	flag(doctorCommand, "undo", d.fromCluster(runNames))
	flag(doctorCommand, "from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"tar.gz", "tgz"}, cobra.ShellCompDirectiveFilterFileExt
	})
	flag(command("expose"), "tls-secret", d.fromCluster(namesOfAll("Secret", cluster.Scope{Namespace: "istio-system", Fields: "type=kubernetes.io/tls"})))
}

func fixed(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// checkIDs offers the checks with their titles, and the areas they are in.
func checkIDs(_ *cobra.Command, typed []string, _ string) ([]string, cobra.ShellCompDirective) {
	var offers []string
	areas := map[string]bool{}
	for _, c := range checks.All() {
		area, _, _ := strings.Cut(c.ID, "/")
		if !areas[area] {
			areas[area] = true
			offers = append(offers, cobra.CompletionWithDesc(area, "all checks of "+area))
		}
		if !slices.Contains(typed, c.ID) {
			offers = append(offers, cobra.CompletionWithDesc(c.ID, c.Title))
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
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

func (d *deps) fromKubeconfig(names func(clientcmdapi.Config) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := d.flags.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(config), cobra.ShellCompDirectiveNoFileComp
	}
}

// clusterNames are what a cluster has to offer.
type clusterNames func(context.Context, *cluster.Client) ([]string, error)

// fromCluster offers what the cluster has, where it answers in time.
func (d *deps) fromCluster(names clusterNames) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(cmd.Context(), completionPatience)
		defer stop()
		answered := make(chan []string, 1)
		go func() {
			var offers []string
			if c, err := d.connect(); err == nil { // nothing to offer is all that can be said of an error
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

// namesOfAll offers the names of objects. Their metadata is enough: no value of a Secret is asked for.
func namesOfAll(kind string, in cluster.Scope) clusterNames {
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

func runNames(ctx context.Context, c *cluster.Client) ([]string, error) {
	runs, err := doctor.Runs(ctx, c)
	var names []string
	for _, run := range runs {
		names = append(names, run.Name)
	}
	return names, err
}
