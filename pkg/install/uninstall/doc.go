// Package uninstall deletes an installation. [ReadCluster] reads what is on the cluster, [Decide] sorts it into waves (webhooks first,
// namespaces last) and says why the rest is kept, and [Run] deletes the waves in order.
package uninstall
