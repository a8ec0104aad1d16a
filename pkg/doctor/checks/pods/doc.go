// Package pods checks that no pod of Kubeflow is crash-looping.
package pods
