package checks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var meshCNI = &doctor.Check{
	ID:    "mesh/cni",
	Title: "the CNI plugin of Istio runs on every node",
	Why: "From Kubeflow 1.10 on a plugin on each node leads the traffic of pods through their sidecars. On a node where it does not run, pods with a sidecar do not start: they end in " +
		"istio-validation. On AKS's kubenet networks it does not work at all.",
	Cure:    "Nothing by itself: what keeps its pods from running decides what helps.",
	Sources: []string{"istio/istio#27591", "istio/istio#36688"},
	Reads:   []schema.GroupKind{daemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		set, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "istio-cni-node"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("this Kubeflow uses no CNI plugin of Istio's")
		}
		if err != nil {
			return nil, err
		}
		wanted, said, _ := unstructured.NestedInt64(set.Object, "status", "desiredNumberScheduled")
		ready, _, _ := unstructured.NestedInt64(set.Object, "status", "numberReady")
		if !said || ready >= wanted {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(set), Field: "status.numberReady"},
			Message:     fmt.Sprintf("Istio's CNI plugin is ready on %d of %s", ready, some(int(wanted), "node")),
			Consequence: "Pods with a sidecar do not start on the others.",
			Advice:      "See what its pods wait for. On a cluster with the network plugin kubenet take one with Azure CNI.",
			Command:     "kubectl describe pods -n kube-system -l k8s-app=istio-cni-node",
		}}, nil
	},
}
