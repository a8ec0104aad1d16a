// Command sandbox runs a local cluster that is like AKS, without Docker: a real
// Kubernetes control plane built from Go modules, simulated nodes, and small
// controllers that play what AKS adds.
//
// Each command has a file of its own: up, down, status, run, build (with
// kubectl). The packages below do the work:
//
//	build         makes the control plane's programs, once
//	controlplane  runs them
//	network       is the cluster network, behind the API server's egress selector
//	aks           plays AKS and the programs in the pods
//	scenario      knows the states to start from
//	cluster       joins these to one sandbox, and finds those that run
package main
