package releases

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

type releasesOptions struct {
	*cli.Deps
	output     string
	components bool
	names      []string // the arguments
	wanted     []string // of --release, for --download
	download   string
	mirror     string
	skipVerify bool
}

const releasesLong = `List the supported Kubeflow releases, and which of them are compatible with the
cluster of the current context. It also works without a cluster.

With the name of a release, show its components, their dependencies, the sources
of the release, and images that can no longer be pulled.

With --download, create a mirror for clusters without internet access, which
install, build and doctor read with --mirror. It holds the verified archives of
the release and everything that they refer to; images.txt lists the images.`

const releasesExample = `  kubectl kubeflow releases                      # list all releases
  kubectl kubeflow releases 26.03                # show one release
  kubectl kubeflow releases --download mirror -r 26.03
  kubectl kubeflow install -r 26.03 --mirror mirror`

var releasesOutput = cli.Outputs("table", "table", "wide", "json", "yaml", "name")

// NewCommand returns the command "kubectl kubeflow releases".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &releasesOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "releases [RELEASE...]",
		Short: "List Kubeflow releases and their compatibility with the cluster", Long: releasesLong, Example: releasesExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return cli.ReleaseNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	releasesOutput.Add(cmd, f, &o.output, "o", "print the releases as `FORMAT`: %s")
	f.BoolVar(&o.components, "components", false, "show the components of each release")
	f.StringVar(&o.download, "download", "", "download --release (default the newest compatible release) to this `FOLDER`, for --mirror")
	f.StringSliceVarP(&o.wanted, "release", "r", nil, "the `VERSIONS` to download")
	f.StringVar(&o.mirror, "mirror", "", "download from this `FOLDER|URL` instead of the internet")
	cli.Requires(f, "mirror", "download")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not verify the pinned hashes of downloads")
	cli.Complete(cmd, "release", cli.Fixed(cli.ReleaseNames()...))
	cli.Complete(cmd, "mirror", cli.Folders)
	return cmd
}

func (o *releasesOptions) validate() error {
	switch {
	case o.download == "" && (len(o.wanted) > 0 || o.mirror != "" || o.skipVerify):
		return &problem.Error{Usage: true, What: "--release, --mirror and --skip-verify require --download", Next: "To see one release: kubectl kubeflow releases 26.03"}
	case o.download != "" && (len(o.names) > 0 || o.components):
		return &problem.Error{Usage: true, What: "--download selects releases with --release", Next: "For example: kubectl kubeflow releases --download mirror -r 26.03"}
	}
	return releasesOutput.Check(o.output)
}

func run(ctx context.Context, o *releasesOptions) error {
	if o.download != "" {
		return o.downloadReleases(ctx)
	}
	chosen := release.All()
	if len(o.names) > 0 {
		chosen = nil
		for _, name := range o.names {
			r, err := release.Find(name)
			if err != nil {
				return &problem.Error{Usage: true, What: err.Error(), Next: "List them with: kubectl kubeflow releases"}
			}
			chosen = append(chosen, r)
		}
	}
	kubernetes, installed := o.cluster(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var rows []releaseRow
	for _, r := range chosen {
		rows = append(rows, releaseRowOf(r, kubernetes, installed))
	}
	if (o.output == "table" || o.output == "wide") && (len(o.names) > 0 || o.components) {
		return o.details(chosen, rows)
	}
	return o.list(rows)
}

// cluster returns the Kubernetes version of the cluster and the installed releases, if a cluster responds.
func (o *releasesOptions) cluster(ctx context.Context) (kubernetes string, installed map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := o.Connect()
	if err != nil {
		o.noCluster(err)
		return "", nil
	}
	v, err := client.View().Version(ctx)
	if err != nil {
		o.noCluster(client.Explain(err))
		return "", nil
	}
	inventories, err := inventory.List(ctx, client.View())
	if err != nil { // without permission to read them
		return v.GitVersion, nil
	}
	installed = map[string]bool{}
	for _, inventory := range inventories {
		installed[inventory.Release] = true
	}
	return v.GitVersion, installed
}

// noCluster says why it is not known which releases are compatible, unless nobody wants to know.
func (o *releasesOptions) noCluster(err error) {
	if !o.Quiet && (o.output == "table" || o.output == "wide") {
		o.Screen().Say("Note: no cluster: %v", err)
	}
}

func (o *releasesOptions) list(rows []releaseRow) error {
	switch o.output {
	case "json", "yaml":
		return cli.PrintDocument(o.Out, o.output, map[string]any{"apiVersion": "kubeflow.release/v1alpha1", "kind": "ReleaseList", "items": rows})
	case "name":
		for _, r := range rows {
			if _, err := fmt.Fprintln(o.Out, r.Version); err != nil {
				return err
			}
		}
		return nil
	}
	header := []string{"RELEASE", "KUBERNETES", "AUTHENTICATION", "THIS CLUSTER"}
	if o.output == "wide" {
		header = append(header, "PIPELINES", "VERIFIED", "COMPONENTS")
	}
	var cells [][]string
	upgrade := ""
	for _, r := range rows {
		here := compatibility(r.Cluster)
		if r.Installed {
			here += ", installed"
		}
		if r.Upgrade {
			here += ", upgrade available"
			upgrade = r.Version
		}
		line := []string{r.Version, r.Kubernetes, string(r.SignIn), here}
		if o.output == "wide" {
			var names []string
			for _, c := range r.Components {
				names = append(names, c.Name)
			}
			pinned := "no"
			if r.Pinned {
				pinned = "yes"
			}
			line = append(line, r.Pipelines, pinned, strings.Join(names, ","))
		}
		cells = append(cells, line)
	}
	err := o.Screen().Table(header, cells)
	if err == nil && upgrade != "" {
		o.Screen().Say("Upgrade with: kubectl kubeflow upgrade --release %s", escape.Word(upgrade))
	}
	return err
}
