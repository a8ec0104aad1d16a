// Package pods simulates the kubelets: scheduled pods start after their volumes
// are mounted and their images pulled, become ready, crash, complete or fail to pull, as the real programs
// would on AKS.
//
// decide is a pure function: from a pod, its remembered life and the behaviour of
// its containers to a status. To make another program misbehave, add a rule
// beside mpi.go and argo.go and to the list in behaviour.go.
package pods
