// Package kube has what any Kubernetes program needs once: the kinds and their scopes, walking unstructured objects, their
// conditions, image references, and why a pod is not ready. It knows nothing of Kubeflow, Azure or a connection.
package kube
