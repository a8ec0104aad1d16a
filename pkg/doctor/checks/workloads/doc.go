// Package workloads determines which namespaces, pods and claims are Kubeflow's, and what crashed among them. Checks of all
// areas read it.
package workloads
