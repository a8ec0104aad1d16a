package cli

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// CheckName refuses what cannot be the name of an installation; "" is none.
func CheckName(name string) error {
	if name == "" || appdir.ValidName(name) {
		return nil
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("--name cannot be %q", name),
		Next: "It is at most 25 lower-case letters, digits and '-', and begins and ends with a letter or digit"}
}
