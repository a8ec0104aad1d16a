// Package cluster runs one whole sandbox: a control plane, its network and the
// parts that play AKS, from Start to Stop, and knows which sandboxes there are on
// this machine.
//
// The main type is Cluster, a running sandbox in this process. Each has a folder
// of its own, a Place, with all of its files; the process that runs it holds the
// folder's lock, so a folder without a holder is what a killed process left, and
// the next Start or Down removes it.
package cluster
