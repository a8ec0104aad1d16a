package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

type releasesOptions struct {
	*deps
	output string
}

// A releaseRow is one line of "kubectl kubeflow releases".
type releaseRow struct {
	Version    string         `json:"version"`
	Kubernetes string         `json:"kubernetes"`
	SignIn     release.SignIn `json:"signIn"`
	Install    bool           `json:"installable"`
	Suits      string         `json:"suitsThisCluster"` // yes, no or unknown
}

func newReleasesCommand(d *deps, run func(context.Context, *releasesOptions) error) *cobra.Command {
	o := &releasesOptions{deps: d}
	cmd := &cobra.Command{
		Use:   "releases",
		Short: "List the Kubeflow releases and which of them suit this cluster",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "table, json or yaml")
	return cmd
}

func runReleases(ctx context.Context, o *releasesOptions) error {
	kubernetes := ""
	if c, err := o.connect(); err == nil {
		if v, err := c.View().Version(ctx); err == nil {
			kubernetes = v.GitVersion
		}
	}
	var rows []releaseRow
	for _, r := range release.All() {
		row := releaseRow{Version: r.Version, Kubernetes: r.Kubernetes.String(), SignIn: r.SignIn, Install: r.Installable(), Suits: "unknown"}
		if kubernetes != "" {
			row.Suits = map[bool]string{true: "yes", false: "no"}[r.Supports(kubernetes)]
		}
		rows = append(rows, row)
	}
	switch o.output {
	case "table":
		cells := [][]string{}
		for _, r := range rows {
			install := map[bool]string{true: "yes", false: "not yet"}[r.Install]
			cells = append(cells, []string{r.Version, r.Kubernetes, string(r.SignIn), install, r.Suits})
		}
		return o.screen().Table([]string{"RELEASE", "KUBERNETES", "SIGN-IN", "INSTALLS", "SUITS THIS CLUSTER"}, cells)
	case "json", "yaml":
		return printDocument(o.Out, o.output, map[string]any{"apiVersion": "kubeflow.release/v1alpha1", "kind": "ReleaseList", "items": rows})
	}
	return unknownOutput(o.output, "table", "json", "yaml")
}
