// Package portforward carries connections from this computer to the gateway, without a change to the cluster.
//
// A [Forwarder] serves listeners, which [Listen] opens, and survives the restarts of the gateway's pods: a connection that arrives
// meanwhile waits for the next pod that is ready. tunnel.go has one connection to one pod, stream.go one client's part of it;
// copy tunnel.go to support another transport.
package portforward
