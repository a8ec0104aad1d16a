package checks

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var gpuPool = &doctor.Check{
	ID:    "nodes/gpu-pool",
	Title: "what asks for a GPU finds a node",
	Why: "A GPU pool may be scaled down to nothing, and the autoscaler brings it back only for pods that fit it: with its taint tolerated, and within the quota of the subscription. Until then " +
		"notebooks and training jobs wait.",
	Cure:  "Nothing by itself: pools and quotas are Azure's.",
	Reads: []schema.GroupKind{podKind, nodeKind, configMapKind},
	Hint:  "The subscription's quota of GPU cores in the region limits what a pool can grow to: az vm list-usage --location REGION.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := waitingPods(ctx, e)
		if err != nil {
			return nil, err
		}
		waiting := slices.DeleteFunc(slices.Clone(pods), func(p *unstructured.Unstructured) bool {
			return !asksForGPU(p) || text(p.Object, "spec", "nodeName") != ""
		})
		nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
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
		return []doctor.Finding{judgeWaiting(waiting, err == nil)}, nil
	},
}

func judgeWaiting(waiting []*unstructured.Unstructured, scales bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(waiting[0]), Field: "spec.containers"},
		Message:     fmt.Sprintf("%s for a GPU, and no node has one: %s", map[bool]string{true: "1 pod waits", false: itoa(len(waiting)) + " pods wait"}[len(waiting) == 1], names(waiting, (*unstructured.Unstructured).GetName)),
		Consequence: "They stay Pending.",
		Advice:      "Add a GPU pool, or scale the one that there is.",
		Command:     "az aks nodepool scale --resource-group GROUP --cluster-name CLUSTER --name gpu --node-count 1",
	}
	if scales {
		f.Advice = "The cluster makes nodes by itself: the pod's events say why not these (NotTriggerScaleUp: a taint that is not tolerated, the pool's maximum, or the quota)."
		f.Command = fmt.Sprintf("kubectl describe pod -n %s %s", waiting[0].GetNamespace(), waiting[0].GetName())
	}
	return f
}
