package nodes

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Capacity = &doctor.Check{
	ID:    "nodes/capacity",
	Title: "Enough allocatable CPU and memory",
	Why: "A recent full Kubeflow requests about 3 CPU and 8Gi and uses more: 8 CPU and 16Gi are recommended. If the nodes have less " +
		"available than the pods request, some pods stay Pending, and the components that depend on them never become ready.",
	FixNote:   "No automatic fix: scale the node pool or use larger nodes (az aks nodepool scale), or install fewer components.",
	Reads:     []schema.GroupKind{kube.NodeKind, kube.PodKind, kube.NamespaceKind, kube.ConfigMapKind, nodePoolKind},
	Hint:      "The subscription's core quota in the region limits how far a pool can grow: az vm list-usage --location REGION.",
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
		pods, nodes := schedulablePods(coming, all)
		f, found := largestPodFinding(pods, nodes)
		if !found {
			f, found = totalFinding(pods, nodes)
		}
		if !found {
			noteTotals(e, pods, nodes)
			return nil, nil
		}
		f.Consequence = capacityImpact
		if f.Severity, f.Command = doctor.Error, "az aks nodepool scale --resource-group GROUP --cluster-name CLUSTER --name POOL --node-count N"; autoscales {
			f.Severity, f.Advice = doctor.Warning, autoscalerAdvice
		}
		adviseUncordon(&f, all)
		return []doctor.Finding{f}, nil
	},
}

// The texts of the findings.
const (
	capacityImpact    = "Some stay Pending, and the components that depend on them never become ready."
	totalMessage      = "insufficient CPU or memory: %s requested by %s, %s available on %s"
	totalAdvice       = "Add nodes, or install fewer components."
	largestPodMessage = "a pod of %s requests %s, but no node has that available (at most %s)"
	largestPodAdvice  = "Add larger nodes."
	autoscalerAdvice  = "The cluster adds nodes automatically, up to the maximum size of its pools: check that it is high enough."
)

// totals adds up what all pods request, and what is free on the nodes that accept them.
func totals(pods []pendingPods, nodes []nodeHeadroom) (need, free podRequests) {
	for _, p := range pods {
		each, n := requestsOf(p.spec), int64(p.countOn(nodes))
		need.cpu += n * each.cpu
		need.memory += n * each.memory
	}
	for _, r := range nodes {
		free.cpu += max(r.cpu, 0)
		free.memory += max(r.memory, 0)
	}
	return need, free
}

// noteTotals says before an install how much it needs.
func noteTotals(e doctor.Exam, pods []pendingPods, nodes []nodeHeadroom) {
	if e.Install == nil || len(nodes) == 0 {
		return
	}
	need, free := totals(pods, nodes)
	e.Note("%s requested by %s, %s available on %s", need, text.Plural(podCount(pods, nodes), "pod"), free, text.Plural(len(nodes), "schedulable node"))
}

// totalFinding compares what all pods request with what is free.
func totalFinding(pods []pendingPods, nodes []nodeHeadroom) (doctor.Finding, bool) {
	need, free := totals(pods, nodes)
	if need.cpu <= free.cpu && need.memory <= free.memory {
		return doctor.Finding{}, false
	}
	return doctor.Finding{
		About:   doctor.Subject{Ref: nodeRef(nodes[0].node), Field: "status.allocatable"},
		Message: fmt.Sprintf(totalMessage, need, text.Plural(podCount(pods, nodes), "pod"), free, text.Plural(len(nodes), "node")),
		Advice:  totalAdvice,
	}, true
}

// largestPodFinding looks for a pod that is too large for every node.
func largestPodFinding(pods []pendingPods, nodes []nodeHeadroom) (doctor.Finding, bool) {
	for _, p := range pods {
		need, fits := requestsOf(p.spec), false
		var most podRequests
		for _, r := range acceptingNodes(nodes, p.spec) {
			fits = fits || r.cpu >= need.cpu && r.memory >= need.memory
			most = podRequests{max(most.cpu, r.cpu), max(most.memory, r.memory)}
		}
		if !fits && !p.perNode {
			return doctor.Finding{
				About:   doctor.Subject{Ref: p.owner},
				Message: fmt.Sprintf(largestPodMessage, p.owner, need, most),
				Advice:  largestPodAdvice,
			}, true
		}
	}
	return doctor.Finding{}, false
}
