// Package faultproxy is an API server that misbehaves, for tests: a reverse proxy in front of a real one which, for
// the requests that a [Rule] names, does what servers and networks do on bad days.
//
//	proxy := faultproxy.Start(t, kubeconfig)
//	proxy.Add(faultproxy.Rule{Verb: "PATCH", Path: "/configmaps/", Times: 3, Do: faultproxy.Answer(503, "busy")})
//
// Clients use the kubeconfig that [Proxy.Kubeconfig] names; the proxy signs in for them. It speaks HTTP/2, as API servers do.
// To add a fault, write a function like those in faults.go.
package faultproxy
