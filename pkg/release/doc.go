// Package release lists the Kubeflow releases and renders one of them, or a file the user names, into
// Kubernetes objects.
//
// A Release is data: one YAML file in this folder, embedded. Copy 26.03.yaml to add one more. Render
// does the rest: it fetches the archive (package archive: pinned, cached, mirrored), reads the
// KfDef or the kustomization in it, builds every component in this process without network, git or
// plugins, and returns plain objects. Nothing here talks to a cluster.
package release
