// Package aks plays AKS and the operators whose programs do not run in the
// sandbox, beside a real control plane.
//
// An AKS is made with New and works in Run. It also is the network's Backends:
// what answers when the API server, a port-forward or a load balancer connects
// to a Service or a pod. Each part is a package of its own; parts.go lists them
// under the names by which Options.Without switches them off. To add one, copy
// package enforcer and add a line there.
package aks
