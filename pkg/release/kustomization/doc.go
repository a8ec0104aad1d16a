// Package kustomization builds kustomizations in this process, with kustomize's own library, from
// archives in memory and from the user's disk.
//
// A Tree is the file system that kustomize sees. It is read-only, and it rewrites references that
// leave it (remote.go): kustomize itself never uses git, the network or a plugin, and the
// content of a reference is pinned by the caller, which fetches it.
package kustomization
