package record

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Preserve returns an object as it should be applied if expose changed the one on the cluster: with that change in it, so that
// installing again does not remove HTTPS from a public address.
func Preserve(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	r := Read(live)
	preserved := wanted.DeepCopy()
	switch preserved.GetKind() {
	case "Gateway":
		list := dashboard.Servers(preserved)
		for _, server := range list {
			if name, _, _ := unstructured.NestedString(server, "port", "name"); slices.Contains(r.Redirects, name) {
				_ = unstructured.SetNestedField(server, true, "tls", "httpsRedirect")
			}
		}
		for _, server := range dashboard.Servers(live) {
			if serves(server) {
				list = append(list, server)
				break
			}
		}
		SetServers(preserved, list)
	case "AuthorizationPolicy":
		if r.Path != "" {
			ExemptPath(preserved, r.Path)
		}
	case "ConfigMap":
		if skipped, has, _ := unstructured.NestedString(preserved.Object, "data", SkipAuthKey); has && r.Path != "" {
			_ = unstructured.SetNestedField(preserved.Object, skipped+","+r.Path, "data", SkipAuthKey)
		}
	}
	for now, before := range r.URLs {
		ReplaceURL(preserved, before, now)
	}
	Write(preserved, r)
	return preserved
}
