package nodes

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
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
	FixNote: "--fix uncordons the nodes if nothing else keeps the pods off. Taints belong to the node pool, and AKS restores them: for those there is no automatic fix, add a user pool " +
		"without taints.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/use-system-pools"},
	Reads:     []schema.GroupKind{kube.NodeKind, kube.PodKind, kube.NamespaceKind, kube.ConfigMapKind, nodePoolKind},
	Writes:    []doctor.Write{{Kind: kube.NodeKind, Fields: []string{"/spec/unschedulable"}}},
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
		findings := taintFindings(coming, all, autoscales)
		if len(findings) > 0 && e.Install == nil {
			return findings, offerUncordon(ctx, e, &findings[0], coming, all)
		}
		return findings, nil
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
	selectorAdvice       = "Correct the node selector or affinity of the pods' workload, or add a node pool with these labels."
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
	case affinityReason:
		f.Advice, f.Command = selectorAdvice, "kubectl get nodes --show-labels"
	}
	if slices.Contains(why, affinityReason) {
		f.Cause = wantedLabels(refused)
	}
	if autoscales {
		f.Severity = doctor.Warning
		if reasons != affinityReason {
			f.Advice = taintedPoolsAdvice
		}
	}
	return []doctor.Finding{f}
}

// wantedLabels says which nodes the pods want.
func wantedLabels(refused []pendingPods) string {
	var wanted []string
	for _, p := range refused {
		if len(p.spec.NodeSelector) > 0 {
			wanted = append(wanted, labels.Set(p.spec.NodeSelector).String()+" (spec.nodeSelector)")
		} else if p.spec.Affinity != nil && p.spec.Affinity.NodeAffinity != nil {
			wanted = append(wanted, "what their spec.affinity requires")
		}
	}
	if len(wanted) == 0 {
		return ""
	}
	slices.Sort(wanted)
	return "The pods want nodes with " + text.List(slices.Compact(wanted), text.Most) + "."
}

// offerUncordon makes uncordoning the fix where that alone gives every pod a node. More nodes would only leave the cordoned ones idle.
func offerUncordon(ctx context.Context, e doctor.Exam, f *doctor.Finding, coming []pendingPods, all []nodeHeadroom) error {
	cordoned := map[string]bool{}
	for _, p := range coming {
		if p.perNode || len(acceptingNodes(all, p.spec)) > 0 {
			continue
		}
		would := slices.DeleteFunc(slices.Clone(all), func(r nodeHeadroom) bool { return !r.acceptsUncordoned(p.spec) })
		if len(would) == 0 {
			return nil
		}
		for _, r := range would {
			cordoned[r.node.Name] = true
		}
	}
	nodes, err := e.List(ctx, kube.NodeKind, cluster.Scope{})
	if err != nil {
		return err
	}
	fix := &doctor.Fix{Impact: doctor.Safe}
	for _, n := range nodes {
		if cordoned[n.GetName()] {
			fix.Changes = append(fix.Changes, cluster.Edit(n, func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "spec", "unschedulable") }))
		}
	}
	if len(fix.Changes) == 0 {
		return nil
	}
	fix.Title = "Uncordon " + text.Names(fix.Changes, text.Most, func(c cluster.Change) string { return c.Ref().Name })
	f.Advice, f.Command, f.Fix = cordonedAdvice, "kubectl uncordon "+escape.Words(slices.Sorted(maps.Keys(cordoned))...), fix
	return nil
}

// adviseUncordon advises to use the nodes that are there before adding others.
func adviseUncordon(f *doctor.Finding, all []nodeHeadroom) {
	var cordoned []string
	for _, r := range all {
		if r.node.Spec.Unschedulable && isReady(r.node) {
			cordoned = append(cordoned, r.node.Name)
		}
	}
	if len(cordoned) > 0 {
		f.Advice, f.Command = cordonedAdvice, "kubectl uncordon "+escape.Words(cordoned...)
	}
}

// acceptsUncordoned reports whether a cordoned node would accept these pods.
func (r nodeHeadroom) acceptsUncordoned(spec corev1.PodSpec) bool {
	if !r.node.Spec.Unschedulable {
		return false
	}
	r.node.Spec.Unschedulable = false
	return r.rejectReason(spec) == ""
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
