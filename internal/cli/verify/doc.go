// Package verify is the command "kubectl kubeflow verify".
package verify
