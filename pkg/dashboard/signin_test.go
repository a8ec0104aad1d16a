package dashboard_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

func authentication(t *testing.T, objects []*unstructured.Unstructured) dashboard.Authentication {
	t.Helper()
	view := cluster.Objects("test objects", nil, objects...)
	g, err := dashboard.FindGateway(t.Context(), view)
	if err != nil { // no gateway, or an object that no API server accepts
		return dashboard.Authentication{Reason: err.Error()}
	}
	return g.Authenticate(t.Context(), view)
}

func TestOnlyACompleteChainIsProven(t *testing.T) {
	for _, s := range kubetest.Shapes(t, "testdata/signin.yaml") {
		got := authentication(t, s.Objects(t, "testdata/signin"))
		if got.Proven != s.Proven || !strings.Contains(got.Reason, s.Why) {
			t.Errorf("%s: proven is %v, want %v: %s", s.About, got.Proven, s.Proven, got.Reason)
		}
	}
}
