package expose

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// LookEdited returns the objects that are not expose's own and that it has changed.
func LookEdited(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	return listAll(ctx, view, editedKinds, cluster.Scope{Labels: editedLabel + "=expose"})
}

// Kept returns an object as it should be applied where expose has changed the one on the cluster: with that change in it, so
// that installing again does not take a certificate from a public address.
func Kept(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	r := readRecord(live)
	kept := wanted.DeepCopy()
	switch kept.GetKind() {
	case "Gateway":
		list := dashboard.Servers(kept)
		for _, server := range list {
			if name, _, _ := unstructured.NestedString(server, "port", "name"); slices.Contains(r.Redirects, name) {
				_ = unstructured.SetNestedField(server, true, "tls", "httpsRedirect")
			}
		}
		for _, server := range dashboard.Servers(live) {
			if name, _, _ := unstructured.NestedString(server, "port", "name"); name == serverName {
				list = append(list, server)
			}
		}
		setServers(kept, list)
	case "AuthorizationPolicy":
		if r.Path != "" {
			openPath(kept, r.Path)
		}
	case "ConfigMap":
		if skipped, has, _ := unstructured.NestedString(kept.Object, "data", skipKey); has && r.Path != "" {
			_ = unstructured.SetNestedField(kept.Object, skipped+","+r.Path, "data", skipKey)
		}
	}
	for now, before := range r.URLs {
		rewrite(kept, before, now)
	}
	writeRecord(kept, r)
	return kept
}
