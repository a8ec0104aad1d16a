package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func TestWhatOthersFillInIsNotClaimed(t *testing.T) {
	objects := kubetest.Objects(t, []byte(`
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: b, creationTimestamp: null}
data: {old: b2xk}
stringData: {pin: "0000"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: []}
rules: []
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: hooks}
webhooks: [{name: a, clientConfig: {caBundle: Cg==, url: "https://a"}}, {name: b, clientConfig: {caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=, url: "https://b"}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: b}
spec: {replicas: 2}
status: {replicas: 0}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: b}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: fixed, namespace: b}
spec: {replicas: 2}
`))
	request := Request{Components: []release.RenderedComponent{{Name: "app", Objects: objects}}}
	all := collect(request, newKindTable(request, builtInKinds))
	got := func(i int) map[string]any { return all[i].object.Object }
	for name, pair := range map[string][2]any{
		"a Secret's strings are its data":                 {kube.Map(got(0), "data"), map[string]any{"old": "b2xk", "pin": "MDAwMA=="}},
		"an aggregated role's rules are its controller's": {got(1)["rules"], nil},
		"a placeholder is not a caBundle":                 {kube.Items(got(2), "webhooks")[0]["clientConfig"], map[string]any{"url": "https://a"}},
		"a certificate is kept":                           {len(kube.Map(kube.Items(got(2), "webhooks")[1], "clientConfig")), 2},
		"an autoscaled workload has no replicas":          {got(3)["spec"], map[string]any{}},
		"another manager's status is not claimed":         {got(3)["status"], nil},
		"without an autoscaler the replicas are applied":  {kube.Map(got(5), "spec")["replicas"], int64(2)},
		"the input is not changed":                        {objects[0].Object["stringData"], map[string]any{"pin": "0000"}},
	} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
