// Command sandbox runs a local AKS-like cluster without Docker: a real Kubernetes
// control plane built from Go modules, simulated nodes, and small controllers
// that simulate what AKS adds.
//
// Each command has its own file: up, down, status, run, apiserver, build (with kubectl).
// These packages do the work:
//
//	build         builds the control plane's programs once
//	controlplane  runs them
//	network       is the cluster network behind the API server's egress selector
//	aks           simulates AKS and the programs in the pods
//	scenario      has the states to start from
//	cluster       combines these into a sandbox, and finds running ones
package main
