package nodes

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const gpuResource = "nvidia.com/gpu"

var GpuPlugin = &doctor.Check{
	ID:    "nodes/gpu-plugin",
	Title: "GPU nodes offer their GPUs",
	Why: "AKS installs the driver on GPU nodes, but not NVIDIA's device plugin, which advertises the GPUs to Kubernetes. Without it " +
		"notebooks and training jobs that request a GPU stay Pending on nodes that you pay for.",
	FixNote: "No automatic fix: there are several ways to run the plugin (a DaemonSet, the GPU operator, or an AKS-managed GPU pool), and the choice is yours.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/use-nvidia-gpu"},
	Reads:   []schema.GroupKind{kube.NodeKind, kube.PodKind, kube.DaemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *unstructured.Unstructured) bool { return !hasGPU(n) })
		if len(nodes) == 0 {
			return nil, doctor.Skip("no node has a GPU")
		}
		missing := slices.DeleteFunc(slices.Clone(nodes), advertisesGPU)
		if len(missing) == 0 {
			return nil, nil
		}
		sets, err := e.List(ctx, kube.DaemonSetKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		pods, err := workloads.PendingPods(ctx, e)
		if err != nil {
			return nil, err
		}
		return []doctor.Finding{gpuFinding(missing, len(nodes), sets, slices.ContainsFunc(pods, requestsGPU))}, nil
	},
}

// hasGPU reports whether AKS labels a node as a GPU node.
func hasGPU(node *unstructured.Unstructured) bool {
	l := node.GetLabels()
	return l["kubernetes.azure.com/accelerator"] == "nvidia" || l["accelerator"] == "nvidia"
}

func advertisesGPU(node *unstructured.Unstructured) bool {
	n := kube.Text(node.Object, "status", "allocatable", gpuResource)
	return n != "" && n != "0"
}

func requestsGPU(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(kube.Items(pod.Object, "spec", "containers"), func(c map[string]any) bool {
		return kube.Text(c, "resources", "limits", gpuResource) != "" || kube.Text(c, "resources", "requests", gpuResource) != ""
	})
}

func gpuFinding(missing []*unstructured.Unstructured, all int, sets []*unstructured.Unstructured, wanted bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(missing[0]), Field: "status.allocatable"},
		Message:     fmt.Sprintf("no allocatable GPUs on %s (of %s): %s", text.Plural(len(missing), "GPU node"), strconv.Itoa(all), text.Names(missing, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "Pods that request a GPU cannot run there.",
		Cause:       "The NVIDIA device plugin is not installed.",
		Advice:      "Install the NVIDIA device plugin with a toleration for the pool's taint, or the GPU operator.",
		Command:     "kubectl kubeflow cluster gpu-plugin --dry-run",
	}
	plugin := slices.IndexFunc(sets, func(o *unstructured.Unstructured) bool { return strings.Contains(o.GetName(), "nvidia-device-plugin") })
	if plugin >= 0 {
		f.Cause = cluster.RefOf(sets[plugin]).String() + " is installed, but does not advertise the GPUs of these nodes."
		f.Advice = "Check that its pods run there (they need a toleration for the pool's taint), and read their logs."
		f.Command = fmt.Sprintf("kubectl get pods -n %s -o wide", escape.Word(sets[plugin].GetNamespace()))
	}
	if wanted {
		f.Severity = doctor.Error
	}
	return f
}
