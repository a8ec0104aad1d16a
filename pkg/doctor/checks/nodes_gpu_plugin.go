package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const gpus = "nvidia.com/gpu"

var gpuPlugin = &doctor.Check{
	ID:    "nodes/gpu-plugin",
	Title: "every GPU node offers its GPUs",
	Why: "AKS puts the driver on GPU nodes, and by itself nothing that tells Kubernetes how many GPUs there are: that is the work of NVIDIA's device plugin. Without it notebooks and training jobs " +
		"that ask for a GPU wait for ever, on nodes that are paid for.",
	Cure:    "Nothing by itself: which of the ways to run the plugin suits is a choice (a DaemonSet, the GPU operator, or a pool that AKS manages).",
	Sources: []string{"https://learn.microsoft.com/azure/aks/use-nvidia-gpu"},
	Reads:   []schema.GroupKind{nodeKind, podKind, daemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *unstructured.Unstructured) bool { return !hasGPU(n) })
		if len(nodes) == 0 {
			return nil, doctor.Skip("no node has a GPU")
		}
		mute := slices.DeleteFunc(slices.Clone(nodes), offersGPU)
		if len(mute) == 0 {
			return nil, nil
		}
		sets, err := e.List(ctx, daemonSetKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		pods, err := waitingPods(ctx, e)
		if err != nil {
			return nil, err
		}
		return []doctor.Finding{judgeGPUs(mute, len(nodes), sets, slices.ContainsFunc(pods, asksForGPU))}, nil
	},
}

// hasGPU tells whether AKS says of a node that it has GPUs.
func hasGPU(node *unstructured.Unstructured) bool {
	l := node.GetLabels()
	return l["kubernetes.azure.com/accelerator"] == "nvidia" || l["accelerator"] == "nvidia"
}

func offersGPU(node *unstructured.Unstructured) bool {
	n := text(node.Object, "status", "allocatable", gpus)
	return n != "" && n != "0"
}

func asksForGPU(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(items(pod.Object, "spec", "containers"), func(c map[string]any) bool {
		return text(c, "resources", "limits", gpus) != "" || text(c, "resources", "requests", gpus) != ""
	})
}

func judgeGPUs(mute []*unstructured.Unstructured, all int, sets []*unstructured.Unstructured, wanted bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(mute[0]), Field: "status.allocatable"},
		Message:     fmt.Sprintf("%s without GPUs to give, of %s: %s", some(len(mute), "GPU node"), itoa(all), names(mute, (*unstructured.Unstructured).GetName)),
		Consequence: "Whatever asks for a GPU cannot run there.",
		Cause:       "No NVIDIA device plugin runs on this cluster.",
		Advice:      "Install NVIDIA's device plugin, with a toleration for the taint of the pool, or the GPU operator.",
		Command:     "kubectl get daemonsets -A",
	}
	plugin := slices.IndexFunc(sets, func(o *unstructured.Unstructured) bool { return strings.Contains(o.GetName(), "nvidia-device-plugin") })
	if plugin >= 0 {
		f.Cause = cluster.RefOf(sets[plugin]).String() + " is there, and does not do its work on them."
		f.Advice = "See whether its pods run there (they need a toleration for the taint of the pool), and what they log."
		f.Command = fmt.Sprintf("kubectl get pods -n %s -o wide", sets[plugin].GetNamespace())
	}
	if wanted {
		f.Severity = doctor.Error
	}
	return f
}
