package install

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// chained is a webhook that two workloads serve, and a workload whose pods it changes.
const chained = `
{apiVersion: v1, kind: Namespace, metadata: {name: app}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: hook}, webhooks: [
 {name: hook.example.org, clientConfig: {service: {name: hook, namespace: app}}, objectSelector: {matchLabels: {hooked: "yes"}},
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}]}
---
{apiVersion: v1, kind: Service, metadata: {name: hook, namespace: app}, spec: {selector: {app: hook}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: slow-hook, namespace: app}, spec: {template: {metadata: {labels: {app: hook}}, spec: {containers: []}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: hook, namespace: app}, spec: {template: {metadata: {labels: {app: hook}}, spec: {containers: []}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: hooked, namespace: app}, spec: {template: {metadata: {labels: {hooked: "yes"}}, spec: {containers: []}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: free, namespace: app}, spec: {template: {metadata: {labels: {app: free}}, spec: {containers: []}}}}
`

func TestTheLongestChainPassesThroughTheGates(t *testing.T) {
	request := Request{Name: "kubeflow", Components: []release.RenderedComponent{{Name: "app", Objects: decode(t, []byte(chained))}}}
	plan, err := NewPlan(t.Context(), request, nil, cluster.Objects("a test", nil), builtInKinds)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		took map[string]time.Duration
		want time.Duration
		path string
	}{
		{"a webhook, then whose pods it changes", map[string]time.Duration{"slow-hook": 9 * time.Second, "hook": 3 * time.Second, "hooked": 5 * time.Second, "free": 7 * time.Second},
			9 * time.Second, "Namespace/app Deployment/app/slow-hook"},
		{"the first that answers is enough", map[string]time.Duration{"slow-hook": 6 * time.Second, "hook": 3 * time.Second, "hooked": 5 * time.Second, "free": 7 * time.Second},
			8 * time.Second, "Namespace/app Deployment/app/hook Deployment/app/hooked"},
		{"nothing waits", map[string]time.Duration{"free": time.Minute}, time.Minute, "Namespace/app Deployment/app/free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			took, refs := plan.LongestChain(func(g Gated) time.Duration { return c.took[g.Object.GetName()] })
			var path []string
			for _, ref := range refs {
				path = append(path, ref.String())
			}
			if got := strings.Join(path, " "); took != c.want || got != c.path {
				t.Errorf("got %s along %s, want %s along %s", took, got, c.want, c.path)
			}
		})
	}
	if took, refs := (&Plan{}).LongestChain(func(Gated) time.Duration { return time.Hour }); took != 0 || refs != nil {
		t.Errorf("an empty plan takes %s along %v", took, refs)
	}
}

func TestNoChainIsFollowedForEver(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/plan/cycle.txtar")
	if err != nil {
		t.Fatal(err)
	}
	request := Request{Name: "kubeflow"}
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			request.Components = append(request.Components, release.RenderedComponent{Name: f.Name, Objects: decode(t, f.Data)})
		}
	}
	plan, err := NewPlan(t.Context(), request, nil, cluster.Objects("a test", nil), builtInKinds)
	if err != nil {
		t.Fatal(err)
	}
	if took, _ := plan.LongestChain(func(Gated) time.Duration { return time.Second }); took < time.Second || took > time.Minute {
		t.Errorf("the chain through a ring that was cut takes %s", took)
	}
}
