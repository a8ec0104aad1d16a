package platform

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var NetworkPolicies = &doctor.Check{
	ID:    "platform/network-policies",
	Title: "NetworkPolicies are enforced",
	Why: "From 1.9 on Kubeflow includes NetworkPolicies that isolate its databases and controllers from users' pods. An AKS cluster created " +
		"without --network-policy accepts them but does not enforce them.",
	FixNote:   "No automatic fix: az aks update --network-policy enables a network policy engine, and reimages the nodes.",
	Sources:   []string{"kubeflow/manifests#3547", "https://learn.microsoft.com/azure/aks/use-network-policies"},
	Reads:     []schema.GroupKind{kube.NetworkPolicyKind, kube.DaemonSetKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		policies, err := e.List(ctx, kube.NetworkPolicyKind, cluster.Scope{Namespace: workloads.Namespace, Metadata: true})
		if err != nil {
			return nil, err
		}
		if len(policies) == 0 {
			return nil, doctor.Skip("this release has no NetworkPolicies")
		}
		if policies[0].GetUID() == "" && e.Install == nil {
			return nil, doctor.Skip("there is no cluster to enforce them")
		}
		sets, err := e.List(ctx, kube.DaemonSetKind, cluster.Scope{Namespace: "kube-system"})
		if err != nil {
			return nil, err
		}
		if len(sets) == 0 {
			return nil, doctor.Skip("kube-system does not show which network plugin is used")
		}
		engine, err := cluster.PolicyEngine(ctx, e)
		if err != nil || engine != "" {
			return nil, err
		}
		return []doctor.Finding{{
			Severity:    doctor.Info,
			About:       doctor.Subject{Ref: cluster.RefOf(policies[0])},
			Message:     fmt.Sprintf("NetworkPolicies in namespace %s are not enforced (%d)", workloads.Namespace, len(policies)),
			Consequence: "Every pod in the cluster can reach Kubeflow's databases and controllers.",
			Advice:      "If users do not trust each other, enable a network policy engine: az aks update --network-policy cilium (or azure, calico).",
			Command:     "az aks update --resource-group GROUP --name CLUSTER --network-policy cilium",
		}}, nil
	},
}
