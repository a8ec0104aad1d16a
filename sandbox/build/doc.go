// Package build makes the programs of a real Kubernetes control plane out of Go
// modules: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kubectl and kwok. Nothing but the Go toolchain and the Go module proxy is
// needed: no container image, no release archive.
//
// The main type is Programs: where the binaries are. Ensure finds them in the
// user's cache folder or builds them there, which takes minutes the first time
// and says so. What is built is held by pinned go.mod and go.sum files in
// modules/, so every machine compiles the same code.
//
// To add a Kubernetes version, add its two files to modules/ and one entry to
// kubernetesVersions in components.go.
package build
