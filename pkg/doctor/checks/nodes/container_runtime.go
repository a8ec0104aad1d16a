package nodes

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var ContainerRuntime = &doctor.Check{
	ID:    "nodes/container-runtime",
	Title: "Nodes run containerd",
	Why: "AKS uses containerd from Kubernetes 1.19 on, and no longer Docker. Anything that needs Docker's socket (the docker executor of " +
		"older pipelines) fails on those nodes; with mixed node pools it works on some nodes and fails on others.",
	FixNote: "No automatic fix: a node pool's container runtime is set when the pool is created. pipelines/executor checks what depends on it.",
	Sources: []string{"argoproj/argo-workflows#5243", "Azure/AKS#2320"},
	Reads:   []schema.GroupKind{kube.NodeKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := LinuxNodes(ctx, e)
		if err != nil {
			return nil, err
		}
		return runtimeFindings(nodes), nil
	},
}

// LinuxNodes returns the nodes that can run Kubeflow's pods.
func LinuxNodes(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return nil, err
	}
	var linux []*unstructured.Unstructured
	for _, n := range nodes {
		if system := kube.Text(n.Object, "status", "nodeInfo", "operatingSystem"); (system == "" || system == "linux") && doctor.Runtime(n) != "" {
			linux = append(linux, n)
		}
	}
	if len(linux) == 0 {
		return nil, doctor.Skip("no Linux node reports its container runtime")
	}
	return linux, nil
}

func RunsContainerd(node *unstructured.Unstructured) bool {
	return strings.HasPrefix(doctor.Runtime(node), "containerd://")
}

// runtimeFindings reports nodes with another runtime than containerd.
func runtimeFindings(nodes []*unstructured.Unstructured) []doctor.Finding {
	var other []*unstructured.Unstructured
	for _, n := range nodes {
		if !RunsContainerd(n) {
			other = append(other, n)
		}
	}
	if len(other) == 0 {
		return nil
	}
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: cluster.RefOf(other[0]), Field: "status.nodeInfo.containerRuntimeVersion"},
		Message:  fmt.Sprintf("containerd is not the runtime on %d of %s: %s", len(other), text.Plural(len(nodes), "node"), doctor.Runtime(other[0])),
		Advice:   "Upgrade the node image: from Kubernetes 1.19 on AKS nodes run containerd.",
	}
	if len(other) < len(nodes) {
		f.Severity = doctor.Warning
		f.Consequence = "Workloads that depend on the runtime work on some nodes and fail on others."
	}
	return []doctor.Finding{f}
}
