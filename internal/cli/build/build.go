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
	skipVerify, update       bool
	output                   string

	given func(flag string) bool
}

const buildLong = `Renders a release's manifests into a directory, to look at, edit and keep in
version control, and then to give to "kubectl kubeflow install --dir". It needs
no cluster and changes none.

  kubeflow.yaml              what was asked for, and which components and images
                             are installed; yours to edit
  kubeflow.lock              the hash of everything it was made from
  kustomize/NAME/            a component: add patches, images and resources to
                             its kustomization.yaml; base/ beside it is as
                             released
  rendered/NAME.yaml         what that builds to, to look at

Run it again, also with a newer release: it replaces what it wrote, keeps what
you wrote, and says which of your changes no longer apply (exit code 3).`

const buildExample = `  kubectl kubeflow build --dir my-kubeflow --release 26.03
  kubectl kubeflow build --dir my-kubeflow   # again, from the same
  kubectl kubeflow install --dir my-kubeflow`

var (
	buildOutput = cli.Outputs("", "json", "yaml")
	buildAdapt  = cli.Choice{Flag: "adapt", Def: "auto", Values: []string{"auto (when the cluster is AKS)", "aks (shown in rendered/ at once)", "none"}}
)

// NewCommand returns the command "kubectl kubeflow build".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &buildOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "build", Short: "Render a release into a directory that you can edit", Long: buildLong, Example: buildExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.given = cmd.Flags().Changed
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", ".", "the `DIR` to build into; it is made if need be")
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` to build (default the one built before)")
	f.StringVarP(&o.file, "filename", "f", "", "build a KfDef, a kustomization folder or rendered YAML instead: a `FILE`, a folder, a URL, or - for standard input")
	f.StringVar(&o.name, "name", "", "the `NAME` that the installation will be recorded under (default kubeflow)")
	f.StringSliceVar(&o.only, "component", nil, "build these `COMPONENTS` alone")
	f.StringSliceVar(&o.skip, "skip", nil, "leave these `COMPONENTS` out")
	f.StringVar(&o.mirror, "mirror", "", "take archives from this `FOLDER|URL` instead of the internet: below it come the archive's host and path")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not compare archives with their pinned hashes, nor with those in the lock file")
	f.BoolVar(&o.update, "update", false, "take what has changed at its address, and write its new hash into the lock file")
	buildAdapt.Add(cmd, f, &o.adapt, "", "how install will mend what does not work on AKS; `MODE` is %s")
	buildOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	cli.CompleteSource(cmd)
	cli.Complete(cmd, "dir", cli.Folders)
	return cmd
}

func (o *buildOptions) validate() error {
	switch {
	case o.release != "" && o.file != "":
		return &problem.Error{Usage: true, What: "--release and --filename exclude each other", Next: "Name a release, or a file"}
	}
	return cmp.Or(cli.CheckName(o.name), buildAdapt.Check(o.adapt), buildOutput.Check(o.output))
}

// run builds into the directory and says what came of it.
func run(ctx context.Context, o *buildOptions) error {
	built, err := kubeflow.Build(ctx, o.wanted())
	if err != nil {
		return err
	}
	return o.show(built)
}

// wanted is what the flags say. A flag that was not typed leaves what the directory has.
func (o *buildOptions) wanted() kubeflow.BuildOptions {
	wanted := kubeflow.BuildOptions{
		Source: kubeflow.Source{
			Release: o.release, File: o.file, Stdin: o.In, Name: o.name, Only: o.only, Skip: o.skip,
			Mirror: o.mirror, SkipVerify: o.skipVerify,
		},
		Dir: o.dir, Update: o.update, Notify: o.Notify,
	}
	if o.given("adapt") {
		wanted.Adapt = o.adapt
	}
	return wanted
}
