package checks

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var containerRuntime = &doctor.Check{
	ID:    "nodes/container-runtime",
	Title: "the nodes run containerd",
	Why: "AKS runs containers with containerd from Kubernetes 1.19 on, and no longer with Docker. What reaches for Docker's socket " +
		"(the docker executor of older pipelines) works on no such node, and where nodes differ it works on some and fails on others.",
	Cure:    "Nothing: which runtime a node has is decided when its pool is made. What depends on it is checked by pipelines/executor.",
	Sources: []string{"argoproj/argo-workflows#5243", "Azure/AKS#2320"},
	Reads:   []schema.GroupKind{nodeKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := linuxNodes(ctx, e)
		if err != nil {
			return nil, err
		}
		return judgeRuntimes(nodes), nil
	},
}

// linuxNodes returns the nodes that can run Kubeflow's pods.
func linuxNodes(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	var linux []*unstructured.Unstructured
	for _, n := range nodes {
		if system := text(n.Object, "status", "nodeInfo", "operatingSystem"); (system == "" || system == "linux") && doctor.Runtime(n) != "" {
			linux = append(linux, n)
		}
	}
	if len(linux) == 0 {
		return nil, doctor.Skip("no nodes to judge by")
	}
	return linux, nil
}

func runsContainerd(node *unstructured.Unstructured) bool {
	return strings.HasPrefix(doctor.Runtime(node), "containerd://")
}

// judgeRuntimes is silent about containerd, which is what AKS has.
func judgeRuntimes(nodes []*unstructured.Unstructured) []doctor.Finding {
	var other []*unstructured.Unstructured
	for _, n := range nodes {
		if !runsContainerd(n) {
			other = append(other, n)
		}
	}
	if len(other) == 0 {
		return nil
	}
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: cluster.RefOf(other[0]), Field: "status.nodeInfo.containerRuntimeVersion"},
		Message:  itoa(len(other)) + " of " + some(len(nodes), "node") + " without containerd: " + doctor.Runtime(other[0]),
		Advice:   "Upgrade the node pool's image: from Kubernetes 1.19 on AKS makes containerd nodes.",
	}
	if len(other) < len(nodes) {
		f.Severity = doctor.Warning
		f.Consequence = "What depends on the runtime works on some nodes and fails on others."
	}
	return []doctor.Finding{f}
}
