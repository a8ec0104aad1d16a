package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

func newBuildCommand() *cobra.Command {
	var versions []string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the control plane's programs (up and run do this too)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, version := range versions {
				if _, err := build.Ensure(cmd.Context(), version, cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&versions, "kubernetes", build.Tested(), "Kubernetes versions, of "+strings.Join(build.Versions(), ", "))
	return cmd
}

func newKubectlCommand() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "kubectl",
		Short: "Print the path of kubectl for a Kubernetes version, and build it if necessary",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			programs, err := build.Ensure(cmd.Context(), version, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), programs.Kubectl)
			return err
		},
	}
	bindKubernetes(cmd.Flags(), &version)
	return cmd
}
