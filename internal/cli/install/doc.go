// Package install is the command "kubectl kubeflow install": it installs a release or completes an interrupted installation.
package install
