// Command kubectl-kubeflow is the kubectl plugin "kubectl kubeflow": it puts Kubeflow on an AKS cluster,
// finds what is wrong with it, cures it, and makes its dashboard reachable.
//
// It is the command tree and the exit codes: the commands are in internal/cli.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // every way of signing in that kubectl has

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/completion"
)

func main() {
	// Rendering makes millions of small nodes that all live to the end: collecting less often takes a fifth off its CPU time,
	// for half as much memory again. Whoever sets GOGC decides otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	args := os.Args[1:]
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == completion.KubectlShim { // kubectl asks how a command line may go on
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}
