// Package loadbalancer simulates Azure's load balancer: a Service of type
// LoadBalancer gets a loopback address with real TCP listeners, in front of the
// simulated pods that it selects.
//
// admit decides about a connection (a pure function). balancer.go maintains the
// Service's status, front.go the listeners.
package loadbalancer
