package nodes

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var GpuPool = &doctor.Check{
	ID:    "nodes/gpu-pool",
	Title: "Pods that request a GPU have a GPU node",
	Why: "A GPU pool may be scaled to zero, and the autoscaler adds nodes only for pods that fit it: they must tolerate its taint, and the " +
		"subscription's quota must allow it. Until then notebooks and training jobs stay Pending.",
	FixNote: "No automatic fix: node pools and quotas are managed in Azure.",
	Reads:   []schema.GroupKind{kube.PodKind, kube.NodeKind, kube.ConfigMapKind},
	Hint:    "The subscription's GPU core quota in the region limits how far a pool can grow: az vm list-usage --location REGION.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := workloads.PendingPods(ctx, e)
		if err != nil {
			return nil, err
		}
		waiting := slices.DeleteFunc(slices.Clone(pods), func(p *unstructured.Unstructured) bool {
			return !requestsGPU(p) || kube.Text(p.Object, "spec", "nodeName") != ""
		})
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		_, err = e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kube-system", Name: "cluster-autoscaler-status"})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		if len(waiting) == 0 || slices.ContainsFunc(nodes, hasGPU) {
			return nil, nil
		}
		return []doctor.Finding{gpuPoolFinding(waiting, err == nil)}, nil
	},
}

func gpuPoolFinding(waiting []*unstructured.Unstructured, scales bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(waiting[0]), Field: "spec.containers"},
		Message:     fmt.Sprintf("no GPU node for %s: %s", text.Plural(len(waiting), "pending pod"), text.Names(waiting, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "They stay Pending.",
		Advice:      "Add a GPU pool, or scale up the existing one.",
		Command:     "az aks nodepool scale --resource-group GROUP --cluster-name CLUSTER --name gpu --node-count 1",
	}
	if scales {
		f.Advice = "The cluster adds nodes automatically: the pod's events show why it did not (NotTriggerScaleUp: an untolerated taint, the pool's " +
			"maximum size, or the quota)."
		f.Command = fmt.Sprintf("kubectl describe pod -n %s %s", escape.Word(waiting[0].GetNamespace()), escape.Word(waiting[0].GetName()))
	}
	return f
}
