package doctor

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// readPassword reads the new password from the file of --dex-password. Only its hash is kept.
func (o *doctorOptions) readPassword() error {
	if o.dexPassword == "" {
		return nil
	}
	content, err := o.passwordFile()
	if err != nil {
		return &problem.Error{Usage: true, What: "--dex-password: " + err.Error(), Next: "Write the password to a file, on one line, and pass the name of the file"}
	}
	hash, err := kubeflow.HashPassword(strings.TrimRight(content, "\r\n"))
	var invalid *problem.Error
	if errors.As(err, &invalid) {
		return &problem.Error{Usage: true, What: "--dex-password: " + invalid.What, Next: "Write a different password to the file"}
	}
	o.settings.PasswordHash = hash
	return err
}

func (o *doctorOptions) passwordFile() (string, error) {
	if o.dexPassword == "-" {
		content, err := io.ReadAll(io.LimitReader(o.In, 4096))
		return string(content), err
	}
	content, err := os.ReadFile(o.dexPassword)
	return string(content), err
}
