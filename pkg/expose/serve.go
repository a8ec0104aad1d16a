package expose

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// serverName is the port name of the server that expose adds to the Gateway: it is found again by it.
const serverName = "https-kubectl-kubeflow"

// Gateways before Istio 1.5 serve from files alone, and this Secret is the one they mount.
const (
	mountedSecret = "istio-ingressgateway-certs"
	mountPath     = "/etc/istio/ingressgateway-certs/"
)

// ourCredential returns the Secret that the server of expose's serves from, "" where there is no such server.
func ourCredential(gateway *unstructured.Unstructured) string {
	for _, server := range dashboard.Servers(gateway) {
		if name, _, _ := unstructured.NestedString(server, "port", "name"); name == serverName {
			if file, _, _ := unstructured.NestedString(server, "tls", "serverCertificate"); file != "" {
				return mountedSecret
			}
			secret, _, _ := unstructured.NestedString(server, "tls", "credentialName")
			return secret
		}
	}
	return ""
}

// serve returns the change that makes the Gateway serve a Secret's certificate and redirect plain HTTP; nil when it does.
func (t Target) serve(secret string) *cluster.Change {
	credential := map[string]any{"mode": "SIMPLE", "credentialName": secret}
	if t.mounted() != "" {
		credential = map[string]any{"mode": "SIMPLE", "serverCertificate": mountPath + "tls.crt", "privateKey": mountPath + "tls.key"}
	}
	change := cluster.Edit(t.IstioGateway, func(o *unstructured.Unstructured) {
		record := readRecord(o)
		list := dashboard.Servers(o)
		list = slices.DeleteFunc(list, func(s map[string]any) bool {
			name, _, _ := unstructured.NestedString(s, "port", "name")
			return name == serverName
		})
		for _, server := range list {
			name, _, _ := unstructured.NestedString(server, "port", "name")
			if !dashboard.Encrypted(server) && !dashboard.Redirects(server) {
				_ = unstructured.SetNestedField(server, true, "tls", "httpsRedirect")
				record.Redirects = append(record.Redirects, name)
			}
		}
		list = append(list, map[string]any{
			"hosts": []any{"*"}, "tls": credential,
			"port": map[string]any{"name": serverName, "number": int64(443), "protocol": "HTTPS"},
		})
		setServers(o, list)
		writeRecord(o, record)
	})
	if cluster.Diff(change.Before, change.After) == "" {
		return nil
	}
	return &change
}

// unserve takes back what serve did to a Gateway, whatever else has been done to it since.
func unserve(gateway *unstructured.Unstructured, record record) {
	var list []map[string]any
	for _, server := range dashboard.Servers(gateway) {
		name, _, _ := unstructured.NestedString(server, "port", "name")
		if name == serverName {
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
	setServers(gateway, list)
}

func setServers(gateway *unstructured.Unstructured, list []map[string]any) {
	all := make([]any, 0, len(list))
	for _, server := range list {
		all = append(all, server)
	}
	_ = unstructured.SetNestedSlice(gateway.Object, all, "spec", "servers") // spec is an object: it cannot fail
}
