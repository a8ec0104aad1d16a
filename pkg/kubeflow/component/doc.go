// Package component has the use cases about one component of an installed Kubeflow: what its pods log, and restarting it.
package component
