// Package build builds the programs of a real Kubernetes control plane from Go
// modules: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kubectl and kwok; and oauth2-proxy. It needs only the Go toolchain and the Go module proxy: no
// container image, no release archive.
//
// The main type is Programs: the paths of the binaries. Ensure finds them in the
// user's cache folder or builds them there, which takes minutes the first time
// and is logged. Pinned go.mod and go.sum files in modules/ make every machine
// compile the same code.
//
// To add a Kubernetes version, add its two files to modules/ and one entry to
// kubernetesVersions in components.go.
package build
