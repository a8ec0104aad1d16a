// Package status is the command "kubectl kubeflow status": it shows what is installed and what is not ready.
package status
