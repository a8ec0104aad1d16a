// Package nodes checks the nodes: runtime, architecture, capacity, taints, GPUs, clocks.
package nodes
