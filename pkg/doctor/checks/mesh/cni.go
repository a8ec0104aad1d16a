package mesh

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Cni = &doctor.Check{
	ID:    "mesh/cni",
	Title: "Istio CNI plugin is ready on every node",
	Why: "From Kubeflow 1.10 on, a CNI plugin on each node redirects pod traffic through the sidecars. On a node where it is not ready, " +
		"pods with a sidecar fail to start: they stop in istio-validation. On AKS kubenet networks the plugin does not work at all.",
	FixNote: "No automatic fix: the remedy depends on why its pods are not ready.",
	Sources: []string{"istio/istio#27591", "istio/istio#36688"},
	Reads:   []schema.GroupKind{kube.DaemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		set, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "istio-cni-node"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("Istio's CNI plugin is not installed")
		}
		if err != nil {
			return nil, err
		}
		wanted, found, _ := unstructured.NestedInt64(set.Object, "status", "desiredNumberScheduled")
		ready, _, _ := unstructured.NestedInt64(set.Object, "status", "numberReady")
		if !found || ready >= wanted {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(set), Field: "status.numberReady"},
			Message:     fmt.Sprintf("DaemonSet kube-system/istio-cni-node is ready on %d of %s", ready, text.Plural(int(wanted), "node")),
			Consequence: "Pods with a sidecar do not start on the other nodes.",
			Advice:      "Check why its pods are not ready. If the cluster uses kubenet, move to a cluster with Azure CNI.",
			Command:     "kubectl describe pods -n kube-system -l k8s-app=istio-cni-node",
		}}, nil
	},
}
