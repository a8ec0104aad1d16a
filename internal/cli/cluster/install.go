package cluster

import (
	"context"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// ownInstallFlags are those that a creation decides itself: what is installed, where, and that it is.
var ownInstallFlags = []string{"release", "filename", "dir", "context", "kubeconfig", "dry-run", "diff", "yes"}

// checkInstall refuses flags that the install would refuse, before a cluster is created for it.
func (o *createOptions) checkInstall(cmd *cobra.Command) error {
	switch {
	case o.install && o.dryRun == "none" && !canSignIn():
		return &problem.Error{What: "kubelogin is not installed, and --install signs in to the cluster with it", Next: "Install it with: az aks install-cli"}
	case len(o.forInstall) == 0:
		return nil
	case !o.install:
		return &problem.Error{Usage: true, What: "flags after -- are those of install, and --install is missing", Next: "Add --install before the --"}
	}
	install, _, err := cmd.Root().Find([]string{"install"})
	if err != nil {
		return err
	}
	if err := install.ParseFlags(o.forInstall); err != nil {
		return cli.BadFlag(install, err)
	}
	if rest := install.Flags().Args(); len(rest) > 0 {
		return &problem.Error{Usage: true, What: "after -- there are only flags of install, and " + rest[0] + " is none", Next: "To see them: kubectl kubeflow install --help"}
	}
	for _, name := range ownInstallFlags {
		if install.Flags().Changed(name) {
			return &problem.Error{Usage: true, What: "--" + name + " cannot be used after --: cluster create decides it", Next: "Leave it out; -r before the -- chooses the release"}
		}
	}
	if o.images, err = install.Flags().GetStringArray("image"); err != nil {
		return err
	}
	o.rules, err = imageRules(o.images)
	return err
}

// goOn adds the cluster to the kubeconfig, and installs in it what is asked for.
func (o *createOptions) goOn(ctx, wait context.Context, client *azure.Client, options azure.Options) error {
	s := o.Screen()
	s.Say("%s Cluster %s is ready", s.Done(), options.Name)
	merged, err := o.merge(wait, client, options.Name, false)
	if err != nil {
		return err
	}
	s.Say("While it is not used, stop its nodes: kubectl kubeflow cluster stop %s", escape.Words(options.Name, "-g", options.ResourceGroup))
	why := unreachable(options)
	if why == "" && !canSignIn() {
		why = "When kubelogin is installed"
	}
	if options.GPU != nil && why == "" {
		o.Idle()
		if err := o.installPlugin(ctx, wait, merged); err != nil {
			return err
		}
	}
	if options.GPU != nil && why != "" {
		s.Say("%s, install NVIDIA's device plugin, without which pods get no GPUs: kubectl kubeflow cluster gpu-plugin", why)
	}
	if !o.install {
		s.Say("%s: %s", text.Capitalized(strings.TrimPrefix(why+", install Kubeflow", ", ")), installCommand(options))
		return nil
	}
	o.Idle()
	if err := o.settle(wait, merged); err != nil {
		return err
	}
	return o.run(ctx, o.installArguments(options, merged)...)
}

// unreachable says when the cluster can be used, if that is not now; "" if it is.
func unreachable(options azure.Options) string {
	switch {
	case options.Private:
		return "In its virtual network, which alone reaches its private address"
	case options.NoRoleAssignment:
		return "When you have a role in the cluster"
	}
	return ""
}

// canSignIn reports whether the program is there with which the kubeconfig signs in.
func canSignIn() bool {
	_, err := exec.LookPath("kubelogin")
	return err == nil
}

// installPlugin installs NVIDIA's device plugin by its own command, on the same streams.
func (o *createOptions) installPlugin(ctx, wait context.Context, merged *azure.Merged) error {
	if err := o.settle(wait, merged); err != nil {
		return err
	}
	return o.run(ctx, slices.Concat([]string{"cluster", "gpu-plugin", "--context", merged.Context, "--kubeconfig", merged.File, "--yes"}, o.imageArguments())...)
}

// installArguments are those of the install in the new cluster.
func (o *createOptions) installArguments(options azure.Options, merged *azure.Merged) []string {
	args := []string{"install", "--release", options.Release.Version, "--context", merged.Context, "--kubeconfig", merged.File, "--yes"}
	if options.GPU != nil {
		args = append(args, "--gpu-tolerations")
	}
	return slices.Concat(args, o.forInstall)
}

// imageArguments are those of the flags after -- that are about images: the plugin's is from the same registry.
func (o *createOptions) imageArguments() (args []string) {
	for _, rule := range o.images {
		args = append(args, "--image", rule)
	}
	return args
}

func installCommand(o azure.Options) string {
	words := []string{"kubectl kubeflow install -r", o.Release.Version}
	if o.GPU != nil {
		words = append(words, "--gpu-tolerations")
	}
	return strings.Join(words, " ")
}
