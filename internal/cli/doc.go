// Package cli holds what the commands share: [Deps] (the streams, the connection, the screen), flags of several commands,
// output formats, completion, and the errors that cmd maps to exit codes.
//
// Each command is a package below: it turns flags into options, calls pkg/kubeflow once, and shows the result on the
// screen. To add a command, copy version and add a line to cmd/kubectl-kubeflow/root.go.
package cli
