// Package cluster runs a whole sandbox, from Start to Stop: a control plane, its
// network and the parts that simulate AKS. It also lists the sandboxes on this
// machine.
//
// The main type is Cluster, a running sandbox in this process. Each has its own
// folder, a Place, with all of its files. The process that runs it holds the
// folder's lock, so an unlocked folder belongs to a killed process, and the next
// Start or Down removes it.
package cluster
