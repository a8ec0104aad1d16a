package cluster

import (
	"context"
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestPolicyEnginesAreFoundWhereTheyRun(t *testing.T) {
	for _, c := range []struct{ namespace, name, want string }{
		{"kube-system", "cilium", "Cilium"},
		{"kube-system", "azure-npm", "Azure Network Policy Manager"},
		{"kube-system", "calico-node", "Calico"},
		{"calico-system", "calico-node", "Calico"},
		{"kube-system", "kube-proxy", ""},
	} {
		daemonSet := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "DaemonSet"}}
		daemonSet.SetNamespace(c.namespace)
		daemonSet.SetName(c.name)
		got, err := PolicyEngine(t.Context(), Objects("a test", nil, daemonSet))
		if err != nil || got != c.want {
			t.Errorf("with DaemonSet %s/%s: %q, %v; want %q", c.namespace, c.name, got, err, c.want)
		}
	}
}

// unreadable is a View in which nothing can be read.
type unreadable struct{ View }

func (unreadable) Get(context.Context, Ref) (*unstructured.Unstructured, error) {
	return nil, errors.New("forbidden")
}

func TestNoPolicyEngineIsClaimedWhereNothingCanBeRead(t *testing.T) {
	if got, err := PolicyEngine(t.Context(), unreadable{}); err == nil {
		t.Errorf("got %q without an error", got)
	}
}
