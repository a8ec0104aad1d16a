package dashboard_test

import (
	"slices"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

// What the editor of a profile's namespace may write there: up to Kubeflow 1.8 role kubeflow-edit has all of networking.istio.io, and the
// cluster's own role edit has Services and workloads.
const ofAnEditor = `
apiVersion: v1
kind: Service
metadata: {name: aaa, namespace: alice}
spec: {selector: {app: decoy, istio: aks-istio-ingressgateway-external}, ports: [{name: http2, port: 80}, {name: https, port: 443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: decoy-1, namespace: alice, labels: {app: decoy, istio: aks-istio-ingressgateway-external}}
spec: {containers: [{name: istio-proxy, args: [proxy, router]}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: own, namespace: alice}
spec: {jwtRules: [{issuer: "https://alice.example.com"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: own, namespace: alice}
spec: {action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: own, namespace: alice}
spec: {configPatches: [{applyTo: HTTP_FILTER, match: {context: GATEWAY}, patch: {operation: INSERT_FIRST, value: {name: envoy.filters.http.ext_authz, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, grpc_service: {envoy_grpc: {cluster_name: "outbound|80||aaa.alice.svc.cluster.local"}}}}}}]}
`

// The gateway of AKS's Istio add-on, as the cluster's administrators have it, without authentication.
const ofTheAddOn = `
apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {name: kubeflow-gateway, namespace: kubeflow}
spec: {selector: {istio: aks-istio-ingressgateway-external}, servers: [{hosts: ["*"], port: {name: http, number: 80, protocol: HTTP}}]}
---
apiVersion: v1
kind: Service
metadata: {name: aks-istio-ingressgateway-external, namespace: aks-istio-ingress}
spec: {type: LoadBalancer, selector: {app: aks, istio: aks-istio-ingressgateway-external}, ports: [{name: http2, port: 80}, {name: https, port: 443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gateway-1, namespace: aks-istio-ingress, labels: {app: aks, istio: aks-istio-ingressgateway-external}}
spec: {containers: [{name: istio-proxy, args: [proxy, router]}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
`

func TestAnEditorOfAProfileCannotProveAuthentication(t *testing.T) {
	theirs, administrators := kubetest.Objects(t, []byte(ofAnEditor)), kubetest.Objects(t, []byte(ofTheAddOn))
	for _, order := range []string{"theirs first", "theirs last"} {
		objects := slices.Concat(theirs, administrators)
		if order == "theirs last" {
			objects = slices.Concat(administrators, theirs)
		}
		if a := authentication(t, objects); a.Proven {
			t.Errorf("%s: proven: %s", order, a.Reason)
		}
	}
}

// What an editor writes in one namespace takes part in no proof: each chain without authentication stays without.
func TestObjectsOfOtherNamespacesProveNothing(t *testing.T) {
	for _, s := range kubetest.Shapes(t, "testdata/signin.yaml") {
		objects := append(s.Objects(t, "testdata/signin"), kubetest.Objects(t, []byte(ofAnEditor))...)
		if before, after := authentication(t, s.Objects(t, "testdata/signin")), authentication(t, objects); !before.Proven && after.Proven {
			t.Errorf("%s: proven by the objects of an editor: %s", s.About, after.Reason)
		}
	}
}
