// Package loadbalancer plays Azure's load balancer: a Service of type
// LoadBalancer gets a loopback address with real TCP listeners, in front of
// whatever plays the pods that it selects.
//
// admit is the pure part: what happens to a connection. balancer.go keeps the
// Service's status, front.go the listeners.
package loadbalancer
