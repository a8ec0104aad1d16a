package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

func TestHTTPSThatAPersonConfiguredIsKept(t *testing.T) {
	const (
		http     = `{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}`
		redirect = `{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}`
		https    = `{port: {number: 443, name: https, protocol: HTTPS}, hosts: [kf.example.com], tls: {mode: SIMPLE, credentialName: own}}`
		shipped  = `{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: shipped}}`
		plain    = `{port: {number: 8081, name: other, protocol: HTTP}, hosts: ["*"]}`
	)
	for name, c := range map[string]struct{ wanted, live, want string }{
		"nothing to keep":                        {http, http + "," + plain, ""},
		"a server with a certificate":            {http, http + "," + https, http + "," + https},
		"and a redirect":                         {http, redirect + "," + https, redirect + "," + https},
		"the manifests have TLS settings there":  {http + "," + shipped, http + "," + https, ""},
		"the manifests have gained another port": {http + "," + plain, http + "," + https, http + "," + plain + "," + https},
	} {
		got := record.KeepTLS(gateway(t, c.wanted), gateway(t, c.live))
		if c.want == "" {
			if got != nil {
				t.Errorf("%s: %v", name, got.Object)
			}
			continue
		}
		if got == nil {
			t.Errorf("%s: nothing is kept", name)
			continue
		}
		if diff := cmp.Diff(dashboard.Servers(gateway(t, c.want)), dashboard.Servers(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func gateway(t *testing.T, servers string) *unstructured.Unstructured {
	t.Helper()
	return kubetest.Objects(t, []byte("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: kubeflow-gateway, namespace: kubeflow}, spec: {servers: ["+servers+"]}}"))[0]
}
