// Package aks simulates AKS and the operators whose programs do not run in the
// sandbox, next to a real control plane.
//
// New creates an AKS and Run runs it. It also implements the network's Backends:
// it responds when the API server, a port-forward or a load balancer connects to
// a Service or a pod. Each part has its own package; parts.go lists them under
// the names that Options.Without disables. To add one, copy
// package enforcer and add a line there.
package aks
