// Command kubectl-kubeflow is the kubectl plugin "kubectl kubeflow": it installs Kubeflow on AKS,
// diagnoses and fixes problems, and exposes the dashboard.
//
// It is the command tree and the exit codes: the commands are in internal/cli.
package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's authentication plugins

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/completion"
)

func main() {
	args := os.Args[1:]
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == completion.KubectlShim { // kubectl asks for completions
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}
