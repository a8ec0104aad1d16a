package record

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// ServerName is the port name of the server that expose adds to the Gateway, by which it is found again.
const ServerName = "https-kubectl-kubeflow"

// removeServer reverts what expose changed on the servers of a Gateway, whatever else has changed since.
func removeServer(gateway *unstructured.Unstructured, record Record) {
	var list []map[string]any
	for _, server := range dashboard.Servers(gateway) {
		name, _, _ := unstructured.NestedString(server, "port", "name")
		if name == ServerName {
			continue
		}
		if slices.Contains(record.Redirects, name) {
			unstructured.RemoveNestedField(server, "tls", "httpsRedirect")
			if tls, ok := server["tls"].(map[string]any); ok && len(tls) == 0 {
				delete(server, "tls")
			}
		}
		list = append(list, server)
	}
	SetServers(gateway, list)
}

func SetServers(gateway *unstructured.Unstructured, list []map[string]any) {
	all := make([]any, 0, len(list))
	for _, server := range list {
		all = append(all, server)
	}
	_ = unstructured.SetNestedSlice(gateway.Object, all, "spec", "servers") // spec is an object: it cannot fail
}

// KeepTLS returns a Gateway as it should be applied if a person configured HTTPS on the one on the cluster by hand: with the servers that have
// TLS settings there and none in the manifests, and the redirects to HTTPS. It is nil if there is nothing to keep.
func KeepTLS(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	list, kept := dashboard.Servers(wanted.DeepCopy()), false
	for _, theirs := range dashboard.Servers(live) {
		settings, _, _ := unstructured.NestedMap(theirs, "tls")
		if len(settings) == 0 {
			continue
		}
		at := slices.IndexFunc(list, func(s map[string]any) bool { return portOf(s) == portOf(theirs) })
		switch {
		case at < 0:
			list, kept = append(list, theirs), true
		case list[at]["tls"] == nil:
			list[at]["tls"], kept = settings, true
		}
	}
	if !kept {
		return nil
	}
	out := wanted.DeepCopy()
	SetServers(out, list)
	return out
}

func portOf(server map[string]any) int64 {
	n, _, _ := unstructured.NestedInt64(server, "port", "number")
	return n
}
