package kubeflow

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestAMovedRedirectURIIsAnnounced(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"of a connector":  {"redirectURI: https://a.example.com/dex/callback", "redirectURI: https://b.example.com/dex/callback", "https://b.example.com/dex/callback"},
		"of oauth2-proxy": {`redirect_url = "https://a/oauth2/callback"`, `redirect_url = "https://b/oauth2/callback"`, "https://b/oauth2/callback"},
		"no move":         {`redirect_url = "https://a/oauth2/callback"`, `redirect_url = "https://a/oauth2/callback" # b`, ""},
		"none before":     {`redirect_url = "/oauth2/callback"`, `redirect_url = "https://b/oauth2/callback"`, ""},
		"an issuer alone": {"issuer: https://a/dex", "issuer: https://b/dex", ""},
	} {
		change := cluster.Edit(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"file": c.before}}},
			func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, c.after, "data", "file") })
		if got := movedRedirect([]cluster.Change{{Verb: cluster.Create, After: change.After}, change}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
