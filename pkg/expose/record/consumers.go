package record

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// SkipAuthKey is the key of ConfigMap istio-system/oidc-authservice-parameters with the paths that need no authentication.
const SkipAuthKey = "SKIP_AUTH_URLS"

// consumers are the workloads that read a namespace's settings when they start.
var consumers = map[string][]cluster.Ref{
	"oauth2-proxy": {{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "oauth2-proxy", Name: "oauth2-proxy"}},
	"auth":         {{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "auth", Name: "dex"}},
	"istio-system": {
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "istio-system", Name: "authservice"},
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "istio-system", Name: "oidc-authservice"},
	},
}

// Consumers returns the workloads that read these settings.
func Consumers(ctx context.Context, view cluster.View, settings []*unstructured.Unstructured) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, m := range settings {
		if m.GetKind() != "ConfigMap" {
			continue
		}
		for _, ref := range consumers[m.GetNamespace()] {
			if w, err := cluster.IgnoreNotFound(view.Get(ctx, ref)); err == nil && w != nil && !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}
