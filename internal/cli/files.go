package cli

import (
	"context"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// ReadFile reads a file that a flag names, up to a limit in bytes; - is standard input.
func (d *Deps) ReadFile(ctx context.Context, name string, limit int64) (string, error) {
	read := bounded.File
	if name == "-" {
		read = func(ctx context.Context, _ string, limit int64) ([]byte, error) { return bounded.All(ctx, d.In, limit) }
	}
	content, err := read(ctx, name, limit)
	return string(content), err
}

// ReadPassword reads a password from the file that a flag names, which holds nothing else.
func (d *Deps) ReadPassword(ctx context.Context, flag, name string) (string, error) {
	content, err := d.ReadFile(ctx, name, bounded.Password)
	if err != nil {
		return "", &problem.Error{Usage: true, What: "--" + flag, Next: "Write the password to a file, on one line, and pass the name of the file", Err: err}
	}
	return strings.TrimRight(content, "\r\n"), nil
}
