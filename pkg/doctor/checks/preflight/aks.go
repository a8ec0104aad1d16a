package preflight

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var AKS = &doctor.Check{
	ID:    "preflight/aks",
	Title: "The cluster is AKS, and the manifests are patched for it",
	Why: "install patches what does not work on AKS: webhooks that the admissions enforcer changes, executors for another container runtime, " +
		"removed images. On a cluster without a node of AKS it applies the manifests as they are.",
	FixNote:   "No automatic fix, and none needed where the cluster is not AKS. install --adapt=aks patches the manifests anyway.",
	Reads:     []schema.GroupKind{kube.NodeKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Install == nil {
			return nil, notInstalling()
		}
		nodes, err := e.List(ctx, kube.NodeKind, cluster.Scope{})
		if err != nil || slices.ContainsFunc(nodes, doctor.IsAKS) {
			return nil, err
		}
		finding := doctor.Finding{
			Severity:    doctor.Info,
			Message:     "no node is of AKS: manifests are not patched for AKS",
			Consequence: "They are applied as they are.",
			Advice:      "If this is AKS, or behaves like it, patch them with: kubectl kubeflow install --adapt=aks",
		}
		if len(nodes) > 0 {
			finding.About = doctor.Subject{Ref: cluster.RefOf(nodes[0]), Field: "metadata.labels"}
		}
		return []doctor.Finding{finding}, nil
	},
}
