// Package pods plays the kubelets: pods that the scheduler has placed start
// after the time their images take to pull, become ready, crash, complete or
// fail to pull, as the real programs would on AKS.
//
// decide is the pure heart: a pod, what is remembered of it and what its
// containers do in; a status out. To make another program misbehave, add a rule
// beside mpi.go and argo.go and to the list in behaviour.go.
package pods
