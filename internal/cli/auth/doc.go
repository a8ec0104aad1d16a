// Package auth is the command "kubectl kubeflow auth" with its subcommands.
package auth
