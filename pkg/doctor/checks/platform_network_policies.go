package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var networkPolicies = &doctor.Check{
	ID:    "platform/network-policies",
	Title: "something enforces Kubeflow's NetworkPolicies",
	Why: "From 1.9 on Kubeflow comes with NetworkPolicies that keep users' pods away from its databases and controllers. An AKS cluster that was made without --network-policy takes them and does " +
		"nothing with them.",
	Cure:    "Nothing by itself: az aks update --network-policy switches an engine on, and reimages the nodes.",
	Sources: []string{"kubeflow/manifests#3547", "https://learn.microsoft.com/azure/aks/use-network-policies"},
	Reads:   []schema.GroupKind{networkPolicyKind, daemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		policies, err := e.List(ctx, networkPolicyKind, cluster.Scope{Namespace: kubeflow, Metadata: true})
		if err != nil {
			return nil, err
		}
		if len(policies) == 0 {
			return nil, doctor.Skip("this release has no NetworkPolicies")
		}
		if policies[0].GetUID() == "" {
			return nil, doctor.Skip("no cluster that could enforce them is looked at")
		}
		sets, err := e.List(ctx, daemonSetKind, cluster.Scope{Namespace: "kube-system"})
		if err != nil {
			return nil, err
		}
		if len(sets) == 0 {
			return nil, doctor.Skip("nothing in kube-system tells how the network is made")
		}
		engine, err := cluster.PolicyEngine(ctx, e)
		if err != nil || engine != "" {
			return nil, err
		}
		return []doctor.Finding{{
			Severity:    doctor.Info,
			About:       doctor.Subject{Ref: cluster.RefOf(policies[0])},
			Message:     fmt.Sprintf("nothing enforces the NetworkPolicies of namespace %s (%d)", kubeflow, len(policies)),
			Consequence: "Every pod of the cluster reaches Kubeflow's databases and controllers.",
			Advice:      "Where users do not trust each other, switch an engine on: az aks update --network-policy cilium (or azure, calico).",
			Command:     "az aks update --resource-group GROUP --name CLUSTER --network-policy cilium",
		}}, nil
	},
}
