package auth

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

var documents = cli.Outputs("", "json", "yaml")

// NewCommand returns the command "kubectl kubeflow auth".
func NewCommand(d *cli.Deps) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "auth", Short: "Show and change who signs in to Kubeflow, and how",
		Long: `Show who signs in to Kubeflow, and how: what the gateway asks about requests,
the provider that signs users in, the users that dex knows itself, and the
Profiles. Nothing is changed. No password and no secret is shown.

Exit codes: 0 shown, 1 Kubeflow was not found or could not be read.`,
		Example: `  kubectl kubeflow auth           # how users sign in
  kubectl kubeflow auth password  # change the default password
  kubectl kubeflow auth user add ann@example.com --profile ann`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] != "status" {
				return cli.UnknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := documents.Check(output); err != nil {
				return err
			}
			return show(cmd.Context(), d, output)
		},
	}
	documents.Add(cmd, cmd.Flags(), &output, "o", "print the result as `FORMAT`: %s")
	cmd.AddCommand(newPasswordCommand(d), newRotateCommand(d), newEntraCommand(d), newOIDCCommand(d), newUserCommand(d))
	return cmd
}

// A document is the result of -o json and yaml.
type document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Context    string `json:"context"`
	Server     string `json:"server"`
	*signin.Status
	Findings []doctor.Finding `json:"findings"`
}

func show(ctx context.Context, d *cli.Deps, output string) error {
	client, err := d.Connect()
	if err != nil {
		return err
	}
	status, report, err := kubeflow.SignIn(ctx, client)
	if err != nil {
		return err
	}
	if output != "" {
		result := document{APIVersion: "kubeflow.auth/v1alpha1", Kind: "SignIn", Context: client.Context, Server: client.Server(), Status: status, Findings: []doctor.Finding{}}
		for _, c := range report.Checks {
			result.Findings = append(result.Findings, c.Findings...)
		}
		return cli.PrintDocument(d.Out, output, result)
	}
	return printStatus(d, status, report)
}
