// Package version orders Kubeflow releases by their version, and compares a cluster's Kubernetes version with the range that a
// release was tested on. To add a release, write its range into pkg/release/<version>.yaml: nothing changes here.
package version
