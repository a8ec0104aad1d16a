// Package egress is the way of the sandbox's real programs into the cluster network and out of it: an HTTP proxy on loopback.
//
// A program that runs behind a pod is a process of this machine, where the names of Services do not resolve. It is started with
// HTTP_PROXY and HTTPS_PROXY, and Proxy resolves every name as the cluster would: a Service's name leads to what is behind the
// Service, a name that the sandbox plays (login.microsoftonline.com) to the stand-in, any other name to the internet.
package egress
