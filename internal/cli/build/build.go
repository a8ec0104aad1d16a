package build

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type buildOptions struct {
	*cli.Deps
	dir, release, file, name string
	only, skip               []string
	mirror, adapt            string
	restrictor               string
	skipVerify, update       bool
	output, format           string

	changed func(flag string) bool // reports whether the flag was set
}

const buildLong = `Render the manifests of a release into a directory that you can review, edit,
keep in version control, and install with "kubectl kubeflow install --dir". It
does not need a cluster.

  kubeflow.yaml              the configuration: release, components and images;
                             edit it
  kubeflow.lock              the hashes of all sources
  kustomize/NAME/            a component: add patches, images and resources to
                             kustomization.yaml; base/ holds the released files
  rendered/NAME.yaml         the rendered manifests, for review
  gitops/wave-00/ ...        with --format: the manifests in the order in which
                             they become ready, for Argo CD, Flux or kubectl

Run it again to rebuild, or with a newer release to upgrade: generated files are
replaced, your changes are kept, and changes that no longer apply are reported
(exit code 3).

With -o and without --dir, nothing is written: the manifests are printed, in the
order in which they are applied, patched for AKS unless --adapt=none.`

const buildExample = `  kubectl kubeflow build --dir my-kubeflow --release 26.03
  kubectl kubeflow build --dir my-kubeflow   # rebuild
  kubectl kubeflow install --dir my-kubeflow
  kubectl kubeflow build --dir my-kubeflow -r 26.03 --format argocd
  kubectl kubeflow build -r 26.03 -o yaml    # print the manifests`

var (
	buildOutput = cli.Outputs("", "json", "yaml", "name")
	buildAdapt  = cli.Choice{Flag: "adapt", Def: "auto", Values: []string{"auto (when the cluster is AKS)", "aks (also in rendered/)", "none"}}
	buildFormat = cli.Choice{Flag: "format", Values: []string{"plain (a folder per wave)", "argocd (sync waves)", "flux (Kustomizations with dependsOn)", "none"}}
)

// NewCommand returns the command "kubectl kubeflow build".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &buildOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "build", Short: "Render a release into a directory that you can edit", Long: buildLong, Example: buildExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed = cmd.Flags().Changed
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", ".", "the `DIR` to build into; created if it does not exist")
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` to build (default the release in the directory)")
	f.StringVarP(&o.file, "filename", "f", "", "build a KfDef, a kustomization or rendered YAML instead: a `FILE`, a folder, a URL, or - for standard input")
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation (default kubeflow)")
	f.StringSliceVar(&o.only, "component", nil, "build only these `COMPONENTS`")
	f.StringSliceVar(&o.skip, "skip", nil, "do not build these `COMPONENTS`")
	f.StringVar(&o.mirror, "mirror", "", "read archives from this `FOLDER|URL` instead of the internet; it holds each archive at HOST/PATH")
	cli.LoadRestrictor.Add(cmd, f, &o.restrictor, "", cli.LoadRestrictorUsage)
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not verify hashes, neither the pinned ones nor those in the lock file")
	f.BoolVar(&o.update, "update", false, "accept sources that have changed, and update their hashes in the lock file")
	buildAdapt.Add(cmd, f, &o.adapt, "", "when install patches the manifests for AKS; `MODE` is %s")
	buildFormat.Add(cmd, f, &o.format, "", "also write the manifests into gitops/ in waves, patched for AKS unless --adapt=none; `FORMAT` is %s")
	buildOutput.Add(cmd, f, &o.output, "o", "print the manifests, or with --dir the result, as `FORMAT`: %s")
	cli.CompleteSource(cmd)
	cli.Complete(cmd, "dir", cli.Folders)
	return cmd
}

func (o *buildOptions) validate() error {
	switch {
	case o.release != "" && o.file != "":
		return &problem.Error{Usage: true, What: "--release and --filename are mutually exclusive", Next: "Specify one of them"}
	}
	if o.output == "name" && o.changed("dir") {
		return &problem.Error{Usage: true, What: "-o name prints manifests, and with --dir the result is printed", Next: "Omit --dir, or use -o json or yaml"}
	}
	return cmp.Or(cli.CheckName(o.name), buildAdapt.Check(o.adapt), buildFormat.Check(o.format), cli.LoadRestrictor.Check(o.restrictor), buildOutput.Check(o.output))
}

// run builds into the directory and shows the result.
func run(ctx context.Context, o *buildOptions) error {
	if o.output != "" && !o.changed("dir") && !o.changed("format") && !o.update {
		return o.print(ctx)
	}
	built, err := kubeflow.Build(ctx, o.useCaseOptions())
	if err != nil {
		return err
	}
	return o.show(built)
}

// buildOptions returns the options that the flags set. A flag that was not set leaves the configuration of the directory.
func (o *buildOptions) useCaseOptions() kubeflow.BuildOptions {
	options := kubeflow.BuildOptions{
		Source: kubeflow.Source{
			Release: o.release, File: o.file, Stdin: o.In, Name: o.name, Only: o.only, Skip: o.skip,
			Mirror: o.mirror, SkipVerify: o.skipVerify, Unrestricted: cli.Unrestricted(o.restrictor),
		},
		Dir: o.dir, Update: o.update, Format: o.format, Notify: o.Notify,
	}
	if o.changed("adapt") {
		options.Adapt = o.adapt
	}
	return options
}
