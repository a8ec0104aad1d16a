package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// closed is a cluster in which some namespaces may not be read.
type closed struct {
	cluster.View
	namespaces string
}

func (v closed) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	if strings.Contains(v.namespaces, in.Namespace) {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	}
	return v.View.List(ctx, kind, in)
}

func TestWhoMayReadSomeNamespacesHearsOfThese(t *testing.T) {
	ill := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "ill", "namespace": "a"}}}
	check := &Check{ID: "a/b", Run: func(ctx context.Context, e Exam) ([]Finding, error) {
		pods, err := e.ListIn(ctx, kube.PodKind, "a", "b")
		if err != nil {
			return nil, err
		}
		var findings []Finding
		for range pods {
			findings = append(findings, Finding{Severity: Error, Message: "ill"})
		}
		return findings, nil
	}}
	for _, c := range []struct {
		name, closed string
		objects      []*unstructured.Unstructured
		status       Status
		reason       string
	}{
		{"all is open", "none", []*unstructured.Unstructured{ill}, Found, ""},
		{"something is found in what is open", "b", []*unstructured.Unstructured{ill}, Found, "not all was seen: needs list on pods in namespace b"},
		{"nothing is found in what is open", "b", nil, Unknown, "needs list on pods in namespace b; nothing was found in what may be read"},
		{"nothing is open", "ab", []*unstructured.Unstructured{ill}, Unknown, "needs list on pods in namespace a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Diagnose(context.Background(), closed{cluster.Objects("the test", nil, c.objects...), c.closed}, []*Check{check}, Options{}).Checks[0]
			if got.Status != c.status || got.Reason != c.reason {
				t.Errorf("it is %s (%s), want %s (%s)", got.Status, got.Reason, c.status, c.reason)
			}
		})
	}
}
