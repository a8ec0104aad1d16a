// Package expose makes the Kubeflow dashboard reachable, says where it is, and takes that back.
//
// [Look] reads a cluster into a [Target]: the gateway, what stands in front of it and what blocks it.
// Deciding is pure: a [Method] turns a Target and [Options] into a [Plan] of changes, and [Endpoints]
// says how the dashboard can be reached now. [Apply], [Await], [Ask] and [Forward] then do it.
//
// To add a method, copy lb.go (one that changes the cluster) or portforward.go (one that is held open),
// and add a line to methods.go.
package expose
