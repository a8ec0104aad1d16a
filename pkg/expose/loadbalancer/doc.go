// Package loadbalancer gives the dashboard an address of the cloud's load balancer.
//
// [NewPlan] decides, without touching the cluster, which changes give a target its address; the result is a [Plan]. [Await] waits
// for the address of an applied plan, and [WhyPending] explains why it takes long.
//
// To support one more setting of the Service, add it to expose.Options and copy how Options.ApplyTo sets the others.
package loadbalancer
