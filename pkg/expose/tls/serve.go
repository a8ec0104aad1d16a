package tls

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

// mountPath is where these gateways mount the Secret.
const mountPath = "/etc/istio/ingressgateway-certs/"

// servedSecret returns the Secret of the server that expose added, "" without one.
func servedSecret(gateway *unstructured.Unstructured) string {
	for _, server := range dashboard.Servers(gateway) {
		if name, _, _ := unstructured.NestedString(server, "port", "name"); name == record.ServerName {
			if file, _, _ := unstructured.NestedString(server, "tls", "serverCertificate"); file != "" {
				return expose.MountedSecret
			}
			secret, _, _ := unstructured.NestedString(server, "tls", "credentialName")
			return secret
		}
	}
	return ""
}

// serveChange returns the change that makes the Gateway serve a Secret's certificate and redirect plain HTTP; nil when it does.
func (t Target) serveChange(secret string) *cluster.Change {
	credential := map[string]any{"mode": "SIMPLE", "credentialName": secret}
	if t.mountedOnly() != "" {
		credential = map[string]any{"mode": "SIMPLE", "serverCertificate": mountPath + "tls.crt", "privateKey": mountPath + "tls.key"}
	}
	change := cluster.Edit(t.IstioGateway, func(o *unstructured.Unstructured) {
		r := record.Read(o)
		list := dashboard.Servers(o)
		list = slices.DeleteFunc(list, func(s map[string]any) bool {
			name, _, _ := unstructured.NestedString(s, "port", "name")
			return name == record.ServerName
		})
		for _, server := range list {
			name, _, _ := unstructured.NestedString(server, "port", "name")
			if !dashboard.Encrypted(server) && !dashboard.Redirects(server) {
				_ = unstructured.SetNestedField(server, true, "tls", "httpsRedirect")
				r.Redirects = append(r.Redirects, name)
			}
		}
		list = append(list, map[string]any{
			"hosts": []any{"*"}, "tls": credential,
			"port": map[string]any{"name": record.ServerName, "number": int64(443), "protocol": "HTTPS"},
		})
		record.SetServers(o, list)
		record.Write(o, r)
	})
	if cluster.Diff(change.Before, change.After) == "" {
		return nil
	}
	return &change
}
