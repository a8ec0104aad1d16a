// Command kubectl-kubeflow is the kubectl plugin "kubectl kubeflow": it puts Kubeflow on an AKS cluster,
// finds what is wrong with it, cures it, and makes its dashboard reachable.
//
// One file per command: flags become options, options become a call into pkg, and the result goes to the screen.
// To add a command, copy version.go.
package main

import (
	"os"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // every way of signing in that kubectl has
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
