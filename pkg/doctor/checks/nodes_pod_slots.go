package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var podSlots = &doctor.Check{
	ID:    "nodes/pod-slots",
	Title: "the nodes may run as many pods as Kubeflow has",
	Why: "An AKS node runs a limited number of pods, however large it is: 30 is the default with Azure CNI's node subnet, 110 with kubenet, 250 with Azure CNI Overlay. Kubeflow has about 50, and AKS's own " +
		"take some on each node, so two nodes of 30 cannot hold it: the scheduler says \"Too many pods\".",
	Cure:      "Nothing is changed: the limit is set when a node pool is made. Add nodes, or a pool with --max-pods 110.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/concepts-network-legacy-cni"},
	Reads:     []schema.GroupKind{nodeKind, podKind, namespaceKind, configMapKind, nodePoolKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		coming, err := comingPods(ctx, e)
		if err != nil || len(coming) == 0 {
			return nil, err
		}
		all, err := rooms(ctx, e)
		if err != nil {
			return nil, err
		}
		grows, err := grows(ctx, e)
		if err != nil {
			return nil, err
		}
		return judgeSlots(coming, all, grows), nil
	},
}

func judgeSlots(coming []podsToCome, all []nodeRoom, grows bool) []doctor.Finding {
	pods, nodes := placeable(coming, all)
	need, free, most := int64(podCount(pods, nodes)), int64(0), int64(0)
	for _, r := range nodes {
		free += max(r.slots, 0)
		most = max(most, r.node.Status.Allocatable.Pods().Value())
	}
	if need <= free {
		return nil
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: nodeRef(nodes[0].node), Field: "status.allocatable.pods"},
		Message:     fmt.Sprintf("%s are to come, and %s for %d more (at most %d pods on a node)", some(int(need), "pod"), some(len(nodes), "node")+map[bool]string{true: " has room", false: " have room"}[len(nodes) == 1], free, most),
		Consequence: "The others stay Pending: too many pods.",
		Advice:      "Add nodes, or a node pool that may run more pods on each.",
		Command:     addPool,
	}
	if grows {
		f.Severity, f.Advice = doctor.Warning, "The cluster makes nodes by itself, up to the maximum of its pools: see that it is large enough."
	}
	return []doctor.Finding{f}
}
