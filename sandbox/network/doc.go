// Package network is the sandbox's cluster network.
//
// kube-apiserver has an egress selector, made for control planes that cannot
// reach their nodes directly. The sandbox uses it so that a cluster network
// needs neither root nor a container: everything the API server would send into
// the cluster (webhook calls, aggregated APIs, proxy requests, kubelet calls)
// arrives at a Proxy on a Unix socket as "CONNECT address:port". A Directory
// resolves that address from Services, EndpointSlices, Pods and Nodes. A Service
// without a ready endpoint is refused, as by kube-proxy; otherwise Backends
// supplies the simulated program behind it.
//
// A Kubelet responds for the nodes: it forwards ports to the pods' backends
// itself and delegates the rest to KWOK.
package network
