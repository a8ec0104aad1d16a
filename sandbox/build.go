package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

func newBuildCommand() *cobra.Command {
	var versions []string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the control plane's programs, which up and run do as well",
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
	cmd.Flags().StringSliceVar(&versions, "kubernetes", build.Versions(), "Kubernetes versions")
	return cmd
}

func newKubectlCommand() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "kubectl",
		Short: "Print where the kubectl of a Kubernetes version is, building it if need be",
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
