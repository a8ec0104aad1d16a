// Package uninstall is the command "kubectl kubeflow uninstall": it deletes an installation.
package uninstall
