// Command kubectl-kubeflow is the kubectl plugin "kubectl kubeflow": it installs Kubeflow on AKS,
// diagnoses and fixes problems, and exposes the dashboard.
//
// It is the command tree and the exit codes: the commands are in internal/cli.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's authentication plugins

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/completion"
)

func main() {
	// Rendering makes millions of small nodes that all live to the end: collecting less often saves a fifth of the CPU time
	// and costs half as much memory again. GOGC, where it is set, takes precedence.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	args := os.Args[1:]
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == completion.KubectlShim { // kubectl asks for completions
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}
