// Package nodes creates Node objects as AKS creates them: the names of VM scale set
// instances, AKS's labels and provider IDs, the capacity of real VM sizes less
// what AKS reserves, a system pool and a GPU pool with its taint. KWOK keeps
// them alive with the stages in stages.yaml.
//
// To add a pool, add a Pool to Cluster.Pools.
package nodes
