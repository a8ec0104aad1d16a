package nodes

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Taints = &doctor.Check{
	ID:    "nodes/taints",
	Title: "Schedulable nodes exist",
	Why: "A node with a taint accepts only pods that tolerate it, and Kubeflow's pods tolerate none. On a cluster whose only pool is a " +
		"system pool with CriticalAddonsOnly, or whose other pools are for GPUs or spot VMs, every Kubeflow pod stays Pending.",
	FixNote:   "No automatic fix: taints belong to the node pool, and AKS restores them. Add a user pool without taints.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/use-system-pools"},
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
		return taintFindings(coming, all, autoscales), nil
	},
}

// The texts of the finding.
const (
	unschedulableMessage = "no schedulable node for the pods of %s (%s: %s)"
	unschedulableImpact  = "They stay Pending."
	unschedulableAdvice  = "Add a node pool without taints."
	taintedPoolsAdvice   = "The cluster adds nodes automatically: check that one of its pools has no taints. Otherwise add one."
	cordonedAdvice       = "Allow pods on the nodes again, when what they were cordoned for is done."
	notReadyAdvice       = "Find out why the nodes are not ready, or add nodes."
	cordonedReason       = "cordoned"
	notReadyReason       = "not ready"
	taintReason          = "taint "
	affinityReason       = "does not match the pods' node selector or affinity"
)

// taintFindings returns one finding about all pods that no node accepts.
func taintFindings(coming []pendingPods, all []nodeHeadroom, autoscales bool) []doctor.Finding {
	var refused []pendingPods
	var why []string
	for _, p := range coming {
		if len(acceptingNodes(all, p.spec)) > 0 || p.perNode {
			continue
		}
		refused = append(refused, p)
		for _, r := range all {
			why = append(why, r.rejectReason(p.spec))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	reasons := text.Distinct(why)
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: refused[0].owner},
		Message: fmt.Sprintf(unschedulableMessage, text.Names(refused, text.Most, func(p pendingPods) string { return p.owner.String() }),
			text.Plural(len(all), "node"), reasons),
		Consequence: unschedulableImpact,
		Advice:      unschedulableAdvice,
		Command:     addPool,
	}
	switch reasons {
	case cordonedReason:
		f.Advice, f.Command = cordonedAdvice, "kubectl uncordon "+escape.Words(nodeNames(all)...)
		return []doctor.Finding{f}
	case notReadyReason:
		f.Advice, f.Command = notReadyAdvice, "kubectl describe nodes"
	}
	if autoscales {
		f.Severity = doctor.Warning
		f.Advice = taintedPoolsAdvice
	}
	return []doctor.Finding{f}
}

func nodeNames(all []nodeHeadroom) (names []string) {
	for _, r := range all {
		names = append(names, r.node.Name)
	}
	return names
}

const addPool = "az aks nodepool add --resource-group GROUP --cluster-name CLUSTER --name user --mode User --node-count 3 --node-vm-size Standard_D4s_v5 --max-pods 110"

// podCount returns how many pods need a slot on these nodes.
func podCount(coming []pendingPods, all []nodeHeadroom) int {
	n := 0
	for _, p := range coming {
		n += p.countOn(all)
	}
	return n
}

// countOn returns how many of the pods would run on these nodes.
func (p pendingPods) countOn(all []nodeHeadroom) int {
	if p.perNode {
		return len(acceptingNodes(all, p.spec))
	}
	return p.count
}

// schedulablePods leaves out the pods that no node accepts, which nodes/taints reports.
func schedulablePods(coming []pendingPods, all []nodeHeadroom) (pods []pendingPods, nodes []nodeHeadroom) {
	used := map[cluster.Ref]bool{}
	for _, p := range coming {
		accepting := acceptingNodes(all, p.spec)
		if len(accepting) == 0 {
			continue
		}
		pods = append(pods, p)
		for _, r := range accepting {
			if ref := nodeRef(r.node); !used[ref] {
				used[ref] = true
				nodes = append(nodes, r)
			}
		}
	}
	return pods, nodes
}
