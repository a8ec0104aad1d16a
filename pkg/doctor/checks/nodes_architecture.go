package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var architecture = &doctor.Check{
	ID:    "nodes/architecture",
	Title: "every node that takes Kubeflow's pods can run them",
	Why: "Most of Kubeflow's images exist for Linux on amd64 only. Its pods ask for no architecture, so on a cluster with an arm64 or Windows pool without a taint some of them land there " +
		"and end with \"exec format error\" or \"no matching manifest\".",
	Cure:      "Nothing is changed: a taint set on a node is lost when its pool scales. Taint the pool (az aks nodepool update --node-taints).",
	Sources:   []string{"kubeflow/manifests#2745", "kubeflow/pipelines#12705"},
	Reads:     []schema.GroupKind{nodeKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		return judgeArchitecture(nodes), nil
	},
}

func judgeArchitecture(nodes []*unstructured.Unstructured) []doctor.Finding {
	var foreign []*unstructured.Unstructured
	suits := 0
	for _, n := range nodes {
		switch {
		case amd64Linux(n):
			suits++
		case open(n):
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
		Message:     fmt.Sprintf("%d of %s %s %s, and nothing keeps Kubeflow's pods off", len(foreign), some(len(nodes), "node"), be(len(foreign)), kind),
		Consequence: "Pods that land there end with \"exec format error\" or cannot pull their image.",
		Cause:       "Most of Kubeflow's images are for linux/amd64 only, and its pods do not ask for it.",
		Advice:      "Taint the pool, so that only pods that ask for it land there.",
		Command: fmt.Sprintf("az aks nodepool update --resource-group GROUP --cluster-name CLUSTER --name %s --node-taints %s",
			poolOf(foreign[0]), taintFor(foreign[0])),
	}
	if suits == 0 {
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf("no node is linux/amd64: %s %s %s", some(len(foreign), "node"), be(len(foreign)), kind)
		f.Advice, f.Command = "Add a node pool of a size with an x86 processor.", addPool
	}
	return []doctor.Finding{f}
}

func systemOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.io/os"], text(n.Object, "status", "nodeInfo", "operatingSystem"), "linux")
}

func processorOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.io/arch"], text(n.Object, "status", "nodeInfo", "architecture"), "amd64")
}

func platformOf(n *unstructured.Unstructured) string { return systemOf(n) + "/" + processorOf(n) }

func amd64Linux(n *unstructured.Unstructured) bool { return platformOf(n) == "linux/amd64" }

// open tells whether nothing keeps ordinary pods off a node.
func open(n *unstructured.Unstructured) bool {
	cordoned, _, _ := unstructured.NestedBool(n.Object, "spec", "unschedulable")
	return !cordoned && !slices.ContainsFunc(items(n.Object, "spec", "taints"), func(t map[string]any) bool { return t["effect"] != "PreferNoSchedule" })
}

func poolOf(n *unstructured.Unstructured) string {
	return cmp.Or(n.GetLabels()["kubernetes.azure.com/agentpool"], n.GetLabels()["agentpool"], "POOL")
}

func taintFor(n *unstructured.Unstructured) string {
	if systemOf(n) != "linux" {
		return "os=" + systemOf(n) + ":NoSchedule"
	}
	return "kubernetes.io/arch=" + processorOf(n) + ":NoSchedule"
}
