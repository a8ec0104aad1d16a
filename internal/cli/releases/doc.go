// Package releases is the command "kubectl kubeflow releases": it lists the known Kubeflow releases.
package releases
