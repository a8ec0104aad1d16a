package version

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
)

type versionOptions struct {
	*cli.Deps
	client bool
	output string
}

type versions struct {
	Client string `json:"clientVersion"`
	Go     string `json:"goVersion"`
	Server string `json:"serverVersion,omitempty"`
}

var versionOutput = cli.Outputs("", "json", "yaml")

// NewCommand returns the command "kubectl kubeflow version".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &versionOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this plugin and of the cluster",
		Args:  cli.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.client, "client", false, "print only the version of this plugin, without connecting to the cluster")
	versionOutput.Add(cmd, cmd.Flags(), &o.output, "o", "print the versions as `FORMAT`: %s")
	return cmd
}

// run prints the plugin's version even if the cluster does not respond: a bug report needs it.
func run(ctx context.Context, o *versionOptions) error {
	if err := versionOutput.Check(o.output); err != nil {
		return err
	}
	v := versions{Client: cli.PluginVersion(), Go: runtime.Version()}
	var unknown error
	if !o.client {
		v.Server, unknown = serverVersion(o.Deps, ctx)
	}
	if o.output == "" {
		fmt.Fprintln(o.Out, "Client Version:", v.Client)
		if v.Server != "" {
			fmt.Fprintln(o.Out, "Server Version:", v.Server)
		}
		return unknown
	}
	return errors.Join(cli.PrintDocument(o.Out, o.output, v), unknown)
}

func serverVersion(d *cli.Deps, ctx context.Context) (string, error) {
	c, err := d.Connect()
	if err != nil {
		return "", err
	}
	server, err := c.View().Version(ctx)
	if err != nil {
		return "", err
	}
	return server.GitVersion, nil
}
