package nodes

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

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
		return judgeTaints(coming, all, grows), nil
	},
}

// judgeTaints says one thing about all pods that no node takes.
func judgeTaints(coming []podsToCome, all []nodeRoom, grows bool) []doctor.Finding {
	var refused []podsToCome
	var why []string
	for _, p := range coming {
		if len(taking(all, p.spec)) > 0 || p.perNode {
			continue
		}
		refused = append(refused, p)
		for _, r := range all {
			why = append(why, r.refusal(p.spec))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: refused[0].of},
		Message: fmt.Sprintf("no schedulable node for the pods of %s (%s: %s)", text.Names(refused, text.Most, func(p podsToCome) string { return p.of.String() }),
			text.Plural(len(all), "node"), text.Distinct(why)),
		Consequence: "They stay Pending.",
		Advice:      "Add a node pool without taints.",
		Command:     addPool,
	}
	if grows {
		f.Severity = doctor.Warning
		f.Advice = "The cluster adds nodes automatically: check that one of its pools has no taints. Otherwise add one."
	}
	return []doctor.Finding{f}
}

const addPool = "az aks nodepool add --resource-group GROUP --cluster-name CLUSTER --name user --mode User --node-count 3 --node-vm-size Standard_D4s_v5 --max-pods 110"

// podCount adds up how many pods are to come on these nodes.
func podCount(coming []podsToCome, all []nodeRoom) int {
	n := 0
	for _, p := range coming {
		n += p.on(all)
	}
	return n
}

// on returns how many of the pods come on these nodes.
func (p podsToCome) on(all []nodeRoom) int {
	if p.perNode {
		return len(taking(all, p.spec))
	}
	return p.count
}

// placeable leaves out the pods that no node takes: nodes/taints says so.
func placeable(coming []podsToCome, all []nodeRoom) (pods []podsToCome, nodes []nodeRoom) {
	used := map[cluster.Ref]bool{}
	for _, p := range coming {
		takers := taking(all, p.spec)
		if len(takers) == 0 {
			continue
		}
		pods = append(pods, p)
		for _, r := range takers {
			if ref := nodeRef(r.node); !used[ref] {
				used[ref] = true
				nodes = append(nodes, r)
			}
		}
	}
	return pods, nodes
}
