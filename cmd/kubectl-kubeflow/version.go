package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

type versionOptions struct {
	*deps
	client bool
	output string
}

type versions struct {
	Client string `json:"clientVersion"`
	Go     string `json:"goVersion"`
	Server string `json:"serverVersion,omitempty"`
}

var versionOutput = outputs("", "json", "yaml")

func newVersionCommand(d *deps, run func(context.Context, *versionOptions) error) *cobra.Command {
	o := &versionOptions{deps: d}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this plugin and of the cluster",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.client, "client", false, "only this plugin's version: do not ask the cluster")
	versionOutput.add(cmd, cmd.Flags(), &o.output, "o", "print it as `FORMAT`: %s")
	return cmd
}

// runVersion tells the plugin's version also where no cluster tells its own: that is what a report of trouble needs.
func runVersion(ctx context.Context, o *versionOptions) error {
	if err := versionOutput.check(o.output); err != nil {
		return err
	}
	v := versions{Client: pluginVersion(), Go: runtime.Version()}
	var unknown error
	if !o.client {
		v.Server, unknown = o.serverVersion(ctx)
	}
	if o.output == "" {
		fmt.Fprintln(o.Out, "Client Version:", v.Client)
		if v.Server != "" {
			fmt.Fprintln(o.Out, "Server Version:", v.Server)
		}
		return unknown
	}
	return errors.Join(printDocument(o.Out, o.output, v), unknown)
}

func (d *deps) serverVersion(ctx context.Context) (string, error) {
	c, err := d.connect()
	if err != nil {
		return "", err
	}
	server, err := c.View().Version(ctx)
	if err != nil {
		return "", err
	}
	return server.GitVersion, nil
}
