package doctor_test

import (
	"context"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const namespacesOfTest = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: anna, labels: {app.kubernetes.io/part-of: kubeflow-profile}}
---
apiVersion: v1
kind: Namespace
metadata: {name: gateways}
---
apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {name: kubeflow-gateway, namespace: kubeflow}
spec: {selector: {istio: own}}
---
apiVersion: v1
kind: Pod
metadata: {name: gateway-1, namespace: gateways, labels: {istio: own}}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: of-manifests}
`

func TestFindingsAboutOtherPeoplesNamespacesAreInformation(t *testing.T) {
	view := cluster.Objects("test", nil, kubetest.Objects(t, []byte(namespacesOfTest))...)
	for namespace, want := range map[string]doctor.Severity{
		"shop": doctor.Info, "unheard-of": doctor.Info,
		"": doctor.Error, "kubeflow": doctor.Error, "anna": doctor.Error, "gateways": doctor.Error, "of-manifests": doctor.Error,
		"kube-system": doctor.Error, "aks-istio-ingress": doctor.Error,
	} {
		about := doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: "x"}}
		check := func(everywhere bool) *doctor.Check {
			return &doctor.Check{ID: "test/scope", Everywhere: everywhere, Run: func(context.Context, doctor.Exam) ([]doctor.Finding, error) {
				return []doctor.Finding{{Severity: doctor.Error, About: about, Fix: &doctor.Fix{}}}, nil
			}}
		}
		r := doctor.Diagnose(t.Context(), view, []*doctor.Check{check(false), check(true)}, doctor.Options{})
		got := r.Checks[0].Findings[0]
		if got.Severity != want || (got.Fix == nil) != (want == doctor.Info) {
			t.Errorf("in namespace %q: %s, fix %v, want %s", namespace, got.Severity, got.Fix, want)
		}
		if got := r.Checks[1].Findings[0]; got.Severity != doctor.Error || got.Fix == nil {
			t.Errorf("in namespace %q, of a check about the whole cluster: %s", namespace, got.Severity)
		}
	}
}
