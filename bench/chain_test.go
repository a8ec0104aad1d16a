package main

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// chained is an aggregated API and a webhook that the same two workloads serve, and what waits for each of them.
var chained = []string{
	`{apiVersion: v1, kind: Namespace, metadata: {name: app}}`,
	`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.example.org}, spec: {service: {namespace: app, name: server, port: 443}}}`,
	`{apiVersion: v1, kind: Service, metadata: {name: server, namespace: app}, spec: {selector: {app: server}}}`,
	`{apiVersion: apps/v1, kind: Deployment, metadata: {name: slow, namespace: app}, spec: {template: {metadata: {labels: {app: server}}}}}`,
	`{apiVersion: apps/v1, kind: Deployment, metadata: {name: quick, namespace: app}, spec: {template: {metadata: {labels: {app: server}}}}}`,
	`{apiVersion: apps/v1, kind: Deployment, metadata: {name: hooked, namespace: app}}`,
	`{apiVersion: apps/v1, kind: Deployment, metadata: {name: free, namespace: app}}`,
	`{apiVersion: example.org/v1, kind: Thing, metadata: {name: served, namespace: app}}`,
}

func TestTheLongestChainPassesThroughTheGates(t *testing.T) {
	namespace := plan.Gate{Kind: plan.NamespaceGate, On: cluster.Ref{Kind: "Namespace", Name: "app"}}
	webhook := plan.Gate{Kind: plan.PodWebhookGate, On: cluster.Ref{Kind: "MutatingWebhookConfiguration", Name: "live"}, Service: cluster.Ref{Kind: "Service", Namespace: "app", Name: "server"}}
	api := plan.Gate{Kind: plan.APIGate, On: cluster.Ref{APIVersion: "apiregistration.k8s.io/", Kind: "APIService", Name: "v1.example.org"}}
	var objects []plan.Gated
	for _, text := range chained {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		g := plan.Gated{Object: o}
		if o.GetNamespace() != "" {
			g.Gates = append(g.Gates, namespace)
		}
		switch o.GetName() {
		case "hooked":
			g.Gates = append(g.Gates, webhook)
		case "served":
			g.Gates = append(g.Gates, api)
		}
		objects = append(objects, g)
	}
	for _, c := range []struct {
		name string
		took map[string]time.Duration
		want time.Duration
		path string
	}{
		{"nothing waits for the slowest", map[string]time.Duration{"slow": 9, "quick": 3, "hooked": 5, "free": 7}, 9, "Namespace/app Deployment/app/slow"},
		{"a webhook needs only the first of its servers", map[string]time.Duration{"slow": 6, "quick": 3, "hooked": 5, "free": 7}, 8, "Namespace/app Deployment/app/quick Deployment/app/hooked"},
		{"an API needs its server", map[string]time.Duration{"slow": 6, "quick": 3, "served": 6}, 9, "Namespace/app Deployment/app/quick Thing/app/served"},
		{"no gate but the namespace", map[string]time.Duration{"free": 60}, 60, "Namespace/app Deployment/app/free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			took, refs := longestChain(objects, func(g plan.Gated) time.Duration { return c.took[g.Object.GetName()] })
			var path []string
			for _, ref := range refs {
				path = append(path, ref.String())
			}
			if got := strings.Join(path, " "); took != c.want || got != c.path {
				t.Errorf("got %s along %s, want %s along %s", took, got, c.want, c.path)
			}
		})
	}
	if took, refs := longestChain(nil, nil); took != 0 || refs != nil {
		t.Errorf("an empty plan takes %s along %v", took, refs)
	}
}
