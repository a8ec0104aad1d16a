// Package cluster is all this program knows about Kubernetes.
//
// A [View] looks: at a live cluster, at rendered manifests, or at a saved bundle; who reads it cannot tell which.
// A [Change] is one intended write as a plain value: it can be shown, compared, tested and only then done.
// A [Client] is the only thing in this program that writes.
//
// To add another source of objects, copy objects.go: implement View.
package cluster
