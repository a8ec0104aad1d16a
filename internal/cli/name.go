package cli

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// CheckName validates the name of an installation; "" is the default.
func CheckName(name string) error {
	if name == "" || appdir.ValidName(name) {
		return nil
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("invalid value %q for --name", name),
		Next: "Use at most 25 lower-case letters, digits and '-', starting and ending with a letter or digit"}
}
