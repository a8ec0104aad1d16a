// Package bundle is the command "kubectl kubeflow bundle": it saves what doctor reads in a file.
package bundle
