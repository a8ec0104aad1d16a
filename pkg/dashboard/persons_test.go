package dashboard_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
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

// Nor is the Service in front of their pods ever the gateway's own, by which expose decides where it writes: not while the gateway has pods,
// and not while it has none.
func TestAServiceOfAProfileIsNotTheGateways(t *testing.T) {
	const profile = `{apiVersion: v1, kind: Namespace, metadata: {name: alice, labels: {app.kubernetes.io/part-of: kubeflow-profile}}}`
	theirs, administrators := kubetest.Objects(t, []byte(ofAnEditor+"---\n"+profile)), kubetest.Objects(t, []byte(ofTheAddOn))
	custom := kubetest.Objects(t, []byte(strings.ReplaceAll(ofTheAddOn, "namespace: aks-istio-ingress", "namespace: zz-gateways")))
	for name, objects := range map[string][]*unstructured.Unstructured{
		"the add-on's": administrators, "the add-on's without pods": administrators[:2], "another namespace's": custom, "another namespace's without pods": custom[:2], "none": administrators[:1],
	} {
		g, err := dashboard.FindGateway(t.Context(), cluster.Objects("test objects", nil, slices.Concat(theirs, objects)...))
		if name == "none" {
			if err == nil {
				t.Errorf("the gateway's Service is %s, and it has none", g.Ref())
			}
			continue
		}
		if err != nil || g.Ref().Name != "aks-istio-ingressgateway-external" {
			t.Errorf("%s: the gateway's Service is %v, %v", name, g.Service, err)
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

// Whoever registers a Profile chooses the name of its namespace among those that are free, and an editor of kubeflow has that one: copies of
// everything that proves authentication, in such a namespace, prove nothing for a gateway that has no proof.
func TestCopiesOfAProofProveNothingElsewhere(t *testing.T) {
	var proofs [][]*unstructured.Unstructured
	all := kubetest.Shapes(t, "testdata/signin.yaml")
	for _, s := range all {
		if s.Proven {
			proofs = append(proofs, s.Objects(t, "testdata/signin"))
		}
	}
	names, tried := []string{"alice", "aks-istio-system", "aks-istio-ingress", "istio-ingress", "oauth2-proxy", "auth", "knative-serving", "kubeflow"}, 0
	random := rand.New(rand.NewPCG(15, 2))
	for _, s := range all {
		objects := s.Objects(t, "testdata/signin")
		if s.Proven || authentication(t, objects).Proven {
			continue
		}
		for range 4 {
			name, proof := names[random.IntN(len(names))], proofs[random.IntN(len(proofs))]
			if name != "kubeflow" && slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetNamespace() == name || o.GetName() == name }) {
				continue // it is not free
			}
			if a := authentication(t, append(movedTo(name, proof, objects), objects...)); a.Proven {
				t.Errorf("%s, with a proof's objects in namespace %s: proven: %s", s.About, name, a.Reason)
			}
			tried++
		}
	}
	t.Logf("%d gateways", tried)
}

// movedTo returns the namespaced objects of others in a namespace, and the namespace as a Profile's; none that is there already.
func movedTo(namespace string, others, there []*unstructured.Unstructured) []*unstructured.Unstructured {
	owner := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace, "annotations": map[string]any{"owner": "mallory@example.org"}}}}
	moved := []*unstructured.Unstructured{}
	if namespace != "kubeflow" {
		moved = append(moved, owner)
	}
	for _, o := range others {
		if o.GetNamespace() == "" {
			continue
		}
		o := o.DeepCopy()
		o.SetNamespace(namespace)
		same := func(other *unstructured.Unstructured) bool {
			return other.GetKind() == o.GetKind() && other.GetNamespace() == namespace && other.GetName() == o.GetName()
		}
		if !slices.ContainsFunc(there, same) && !slices.ContainsFunc(moved, same) {
			moved = append(moved, o)
		}
	}
	return moved
}
