// Package version is the command "kubectl kubeflow version": it prints the versions of the plugin and of the cluster.
package version
