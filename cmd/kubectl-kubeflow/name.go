package main

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// checkName refuses what cannot be the name of an installation; "" is none.
func checkName(name string) error {
	if name == "" || appdir.ValidName(name) {
		return nil
	}
	return &usageError{What: fmt.Sprintf("--name cannot be %q", name),
		Next: "It is at most 25 lower-case letters, digits and '-', and begins and ends with a letter or digit"}
}
