package cluster

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow/deviceplugin"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

type pluginOptions struct {
	*cli.Deps
	images      []string
	remove, yes bool
	dryRun      cli.DryRun
	output      string
}

var pluginOutput = cli.Outputs("", "yaml", "json")

func newPluginCommand(d *cli.Deps) *cobra.Command {
	o := &pluginOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "gpu-plugin", Short: "Install or remove NVIDIA's device plugin for GPUs",
		Long: `Install NVIDIA's device plugin in the cluster of the current context, or remove
it. AKS installs the driver on GPU nodes, and not the plugin, without which no
pod gets a GPU. "cluster create --gpu" installs it; this command is for clusters
that exist, private clusters, and those that a Bicep file created.

It is one DaemonSet in the namespace kube-system, which runs on GPU nodes alone
and tolerates the taint sku=gpu:NoSchedule. Nothing is done if another
DaemonSet, the GPU operator or AKS itself provides the plugin. --remove deletes
only what this command installed.

Exit codes: 0 installed, removed or nothing to do, 1 not.`,
		Example: `  kubectl kubeflow cluster gpu-plugin --dry-run
  kubectl kubeflow cluster gpu-plugin
  kubectl kubeflow cluster gpu-plugin --remove`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.plugin(cmd.Context()) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.remove, "remove", false, "remove the plugin that this command installed")
	f.StringArrayVar(&o.images, "image", nil, "replace the image prefix FROM with TO, as `FROM=TO`; can be repeated")
	cli.AddDryRun(cmd, f, &o.dryRun, "preview without changing anything; `MODE` is client or server, which are the same here")
	pluginOutput.Add(cmd, f, &o.output, "o", "print the DaemonSet without asking the cluster, as `FORMAT`: %s")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

// imageRules reads the values of --image.
func imageRules(texts []string) (rules []images.Rule, err error) {
	for _, text := range texts {
		rule, err := images.Parse(text)
		if err != nil {
			return nil, &problem.Error{Usage: true, What: "--image: " + err.Error(), Next: "Specify an image prefix and its replacement"}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (o *pluginOptions) plugin(ctx context.Context) error {
	if err := pluginOutput.Check(o.output); err != nil {
		return err
	}
	rules, err := imageRules(o.images)
	if err != nil {
		return err
	}
	wanted := deviceplugin.Object(rules)
	if o.output != "" {
		return cli.PrintDocument(o.Out, o.output, wanted.Object)
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := deviceplugin.Prepare(ctx, client, wanted, o.remove)
	o.Idle()
	if err != nil {
		return err
	}
	o.showPlugin(plan)
	if plan.Change == nil || bool(o.dryRun) {
		return nil
	}
	if err := o.Agree(ctx, o.yes, "Go on?", "Confirm with --yes, or preview with --dry-run"); err != nil {
		return err
	}
	if err := deviceplugin.Apply(ctx, client, plan); err != nil {
		return err
	}
	s := o.Screen()
	if o.remove {
		s.Say("%s NVIDIA's device plugin is removed", s.Done())
		return nil
	}
	s.Say("%s NVIDIA's device plugin is installed. Remove it with: %s", s.Done(), deviceplugin.RemoveCommand)
	return nil
}

// showPlugin says what changes, and why, or why nothing does.
func (o *pluginOptions) showPlugin(p deviceplugin.Plan) {
	s := o.Screen()
	switch {
	case p.Change == nil:
		s.Say("Nothing to do for NVIDIA's device plugin: %s", line(p.Why))
	case p.Change.Verb == cluster.Delete:
		s.Say("Delete %s: %s", p.Change.Ref(), line(p.Why))
	default:
		s.Say("Apply %s: %s", p.Change.Ref(), line(p.Why))
	}
	if p.Warning != "" {
		s.Say("Warning: %s", line(p.Warning))
	}
}
