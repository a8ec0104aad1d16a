// Package cli is what the commands share: [Deps] (the streams, the connection, the screen), flags that several commands have,
// output formats, completion of values, and the errors that cmd turns into exit codes.
//
// Each command is a package below: flags become options, options become one call into pkg/kubeflow, and the result goes to
// the screen. To add a command, copy version and add a line to cmd/kubectl-kubeflow/root.go.
package cli
