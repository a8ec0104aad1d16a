package preflight

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const apisID = "preflight/apis"

var APIs = &doctor.Check{
	ID:    apisID,
	Title: "The API server serves every API that is needed",
	Why: "A release uses APIs of the Kubernetes versions it was made for. On a newer version some of them are gone, and on an older one some " +
		"do not exist yet: its objects cannot be created. Manifests without Istio or cert-manager need them on the cluster.",
	FixNote:   "No automatic fix: install a release that was tested on this Kubernetes version, or what brings the missing APIs.",
	Sources:   []string{"https://kubernetes.io/docs/reference/using-api/deprecation-guide/"},
	Preflight: true,
	Run:       func(_ context.Context, e doctor.Exam) ([]doctor.Finding, error) { return blocked(e, apisID) },
}
