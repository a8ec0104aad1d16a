// Package network is the sandbox's cluster network.
//
// kube-apiserver has an egress selector, made for control planes that cannot
// reach their nodes directly. The sandbox uses it so that a cluster network
// needs neither root nor a container: everything the API server would send into
// the cluster (webhook calls, aggregated APIs, proxy requests, kubelet calls)
// arrives at a Proxy on a Unix socket as "CONNECT address:port". A Directory
// knows from the Services, EndpointSlices, Pods and Nodes what that address is.
// A Service without a ready endpoint is refused, as kube-proxy would; otherwise
// Backends supplies whatever plays the program behind it.
//
// A Kubelet answers for the nodes: it forwards ports to the pods' backends
// itself and leaves the rest to KWOK.
package network
