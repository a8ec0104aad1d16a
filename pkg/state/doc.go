// Package state has the namespace in which this program keeps its records: inventories, what an undo needs, and the Lease. No
// role of Kubeflow reaches it, so that nobody but a cluster's administrators writes what an administrator's commands act on.
//
// [List] reads records, and only from a namespace that is ours ([Check]). [Ensure] creates the namespace before the first write.
package state
