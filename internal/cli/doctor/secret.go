package doctor

import (
	"context"
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// readPassword reads the new password from the file of --dex-password. Only its hash is kept.
func (o *doctorOptions) readPassword(ctx context.Context) error {
	if o.dexPassword == "" {
		return nil
	}
	password, err := o.ReadPassword(ctx, "dex-password", o.dexPassword)
	if err != nil {
		return err
	}
	hash, err := signin.HashPassword(password)
	var invalid *problem.Error
	if errors.As(err, &invalid) {
		return &problem.Error{Usage: true, What: "--dex-password: " + invalid.What, Next: "Write a different password to the file"}
	}
	o.settings.PasswordHash = hash
	return err
}
