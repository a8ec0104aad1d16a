// Command kubectl-kubeflow is the kubectl plugin "kubectl kubeflow": it puts Kubeflow on an AKS cluster,
// finds what is wrong with it, cures it, and makes its dashboard reachable.
//
// One file per command: flags become options, options become a call into pkg, and the result goes to the screen.
// To add a command, copy version.go.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // every way of signing in that kubectl has
)

func main() {
	// Rendering makes millions of small nodes that all live to the end: collecting less often takes a fifth off its CPU time,
	// for half as much memory again. Whoever sets GOGC decides otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	args := os.Args[1:]
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == kubectlShim { // kubectl asks how a command line may go on
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}
