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
