package nodes

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Architecture = &doctor.Check{
	ID:    "nodes/architecture",
	Title: "Nodes match the architecture of Kubeflow's images",
	Why: "Most Kubeflow images exist for linux/amd64 only, and the pods do not select an architecture. On a cluster with an untainted arm64 " +
		"or Windows pool some pods are scheduled there and fail with \"exec format error\" or \"no matching manifest\".",
	FixNote:   "No automatic fix: a taint set on a node is lost when its pool scales. Taint the pool instead (az aks nodepool update --node-taints).",
	Sources:   []string{"kubeflow/manifests#2745", "kubeflow/pipelines#12705"},
	Reads:     []schema.GroupKind{kube.NodeKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		return architectureFindings(nodes), nil
	},
}

func architectureFindings(nodes []*unstructured.Unstructured) []doctor.Finding {
	var foreign []*unstructured.Unstructured
	suits := 0
	for _, n := range nodes {
		switch {
		case amd64Linux(n):
			suits++
		case schedulable(n):
			foreign = append(foreign, n)
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	kind := platformOf(foreign[0])
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(foreign[0]), Field: "spec.taints"},
		Message:     fmt.Sprintf("Kubeflow's pods can be scheduled on %s nodes (%d of %s)", kind, len(foreign), text.Plural(len(nodes), "node")),
		Consequence: "Pods scheduled there fail with \"exec format error\" or cannot pull their image.",
		Cause:       "Most Kubeflow images are for linux/amd64 only, and the pods do not select an architecture.",
		Advice:      "Taint the pool so that only pods that tolerate the taint are scheduled there.",
		Command: fmt.Sprintf("az aks nodepool update --resource-group GROUP --cluster-name CLUSTER --name %s --node-taints %s",
			escape.Word(poolOf(foreign[0])), escape.Word(taintFor(foreign[0]))),
	}
	if suits == 0 {
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf("no node is linux/amd64 (%s, %s)", text.Plural(len(foreign), "node"), kind)
		f.Advice, f.Command = "Add a node pool with an x86 VM size.", addPool
	}
	return []doctor.Finding{f}
}

func osOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.io/os"], kube.Text(n.Object, "status", "nodeInfo", "operatingSystem"), "linux")
}

func archOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.io/arch"], kube.Text(n.Object, "status", "nodeInfo", "architecture"), "amd64")
}

func platformOf(n *unstructured.Unstructured) string { return osOf(n) + "/" + archOf(n) }

func amd64Linux(n *unstructured.Unstructured) bool { return platformOf(n) == "linux/amd64" }

// schedulable reports whether pods without tolerations can be scheduled on a node.
func schedulable(n *unstructured.Unstructured) bool {
	cordoned, _, _ := unstructured.NestedBool(n.Object, "spec", "unschedulable")
	return !cordoned && !slices.ContainsFunc(kube.Items(n.Object, "spec", "taints"), func(t map[string]any) bool { return t["effect"] != "PreferNoSchedule" })
}

func poolOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.azure.com/agentpool"], n.GetLabels()["agentpool"], "POOL")
}

func taintFor(n *unstructured.Unstructured) string {
	if osOf(n) != "linux" {
		return "os=" + osOf(n) + ":NoSchedule"
	}
	return "kubernetes.io/arch=" + archOf(n) + ":NoSchedule"
}
