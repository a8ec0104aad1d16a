// Package completion is the command "kubectl kubeflow completion": it writes the completion scripts of the shells.
package completion
