package nodes

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var PodSlots = &doctor.Check{
	ID:    "nodes/pod-slots",
	Title: "Enough pod slots (max-pods)",
	Why: "An AKS node runs a limited number of pods (max-pods), whatever its size: by default 30 with Azure CNI node subnet, 110 with " +
		"kubenet, 250 with Azure CNI Overlay. Kubeflow has about 50 pods, and AKS runs some on each node, so two nodes with 30 slots " +
		"cannot hold it: the scheduler reports \"Too many pods\".",
	FixNote:   "No automatic fix: max-pods is set when a node pool is created. Add nodes, or a pool with --max-pods 110.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/concepts-network-legacy-cni"},
	Reads:     []schema.GroupKind{kube.NodeKind, kube.PodKind, kube.NamespaceKind, kube.ConfigMapKind, nodePoolKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		coming, err := listPendingPods(ctx, e)
		if err != nil || len(coming) == 0 {
			return nil, err
		}
		all, err := headroom(ctx, e)
		if err != nil {
			return nil, err
		}
		autoscales, err := autoscales(ctx, e)
		if err != nil {
			return nil, err
		}
		return slotFindings(e, coming, all, autoscales), nil
	},
}

func slotFindings(e doctor.Exam, coming []pendingPods, all []nodeHeadroom, autoscales bool) []doctor.Finding {
	pods, nodes := schedulablePods(coming, all)
	need, free, most := int64(podCount(pods, nodes)), int64(0), int64(0)
	for _, r := range nodes {
		free += max(r.slots, 0)
		most = max(most, r.node.Status.Allocatable.Pods().Value())
	}
	if need <= free {
		if e.Install != nil && len(nodes) > 0 {
			e.Note("%s to schedule, %d slots free on %s", text.Plural(int(need), "pod"), free, text.Plural(len(nodes), "schedulable node"))
		}
		return nil
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: nodeRef(nodes[0].node), Field: "status.allocatable.pods"},
		Message:     fmt.Sprintf("not enough pod slots: %s to schedule, %d free on %s (at most %d per node)", text.Plural(int(need), "pod"), free, text.Plural(len(nodes), "node"), most),
		Consequence: "The remaining pods stay Pending: Too many pods.",
		Advice:      "Add nodes, or a node pool with a higher max-pods.",
		Command:     addPool,
	}
	if autoscales {
		f.Severity, f.Advice = doctor.Warning, autoscalerAdvice
	}
	adviseUncordon(&f, all)
	return []doctor.Finding{f}
}
