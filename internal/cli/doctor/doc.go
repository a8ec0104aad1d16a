// Package doctor is the command "kubectl kubeflow doctor": it diagnoses an installation, applies fixes and undoes them.
package doctor
