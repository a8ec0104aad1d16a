package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// readPassword reads the new password from the file of --dex-password. Only its hash is kept.
func (o *doctorOptions) readPassword(ctx context.Context) error {
	if o.dexPassword == "" {
		return nil
	}
	content, err := o.passwordFile(ctx)
	if err != nil {
		return &problem.Error{Usage: true, What: "--dex-password: " + err.Error(), Next: "Write the password to a file, on one line, and pass the name of the file"}
	}
	hash, err := signin.HashPassword(strings.TrimRight(content, "\r\n"))
	var invalid *problem.Error
	if errors.As(err, &invalid) {
		return &problem.Error{Usage: true, What: "--dex-password: " + invalid.What, Next: "Write a different password to the file"}
	}
	o.settings.PasswordHash = hash
	return err
}

func (o *doctorOptions) passwordFile(ctx context.Context) (string, error) {
	if o.dexPassword == "-" {
		content, err := bounded.All(ctx, o.In, bounded.Password)
		return string(content), err
	}
	content, err := bounded.File(ctx, o.dexPassword, bounded.Password)
	return string(content), err
}
