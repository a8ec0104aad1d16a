// Package cluster has the commands "kubectl kubeflow cluster ...": an AKS cluster that is fit for Kubeflow. They turn flags into
// the options of pkg/azure, ask, and show what Azure does.
package cluster
