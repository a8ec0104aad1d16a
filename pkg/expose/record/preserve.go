package record

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Preserve returns an object as it should be applied where expose has changed the one on the cluster: with that change in it, so
// that installing again does not take a certificate from a public address.
func Preserve(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	r := Read(live)
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
			if name, _, _ := unstructured.NestedString(server, "port", "name"); name == ServerName {
				list = append(list, server)
			}
		}
		SetServers(kept, list)
	case "AuthorizationPolicy":
		if r.Path != "" {
			ExemptPath(kept, r.Path)
		}
	case "ConfigMap":
		if skipped, has, _ := unstructured.NestedString(kept.Object, "data", SkipAuthKey); has && r.Path != "" {
			_ = unstructured.SetNestedField(kept.Object, skipped+","+r.Path, "data", SkipAuthKey)
		}
	}
	for now, before := range r.URLs {
		ReplaceURL(kept, before, now)
	}
	Write(kept, r)
	return kept
}
