package notebooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var GpuTolerations = &doctor.Check{
	ID:    "notebooks/gpu-tolerations",
	Title: "Notebooks can be scheduled on GPU nodes",
	Why: "The AKS documentation gives GPU pools the taint sku=gpu:NoSchedule, so that nothing else is scheduled on the expensive nodes. " +
		"Kubeflow's notebook form offers no toleration for it: a notebook that requests a GPU stays Pending. (For the taint nvidia.com/gpu " +
		"AKS adds the toleration itself.)",
	FixNote: "--fix adds the toleration as an option to the notebook form's ConfigMap. install does the same with --gpu-tolerations.",
	Sources: []string{"kubeflow/manifests#2063", "https://learn.microsoft.com/azure/aks/use-nvidia-gpu"},
	Reads:   []schema.GroupKind{kube.ConfigMapKind, kube.NodeKind},
	Writes:  []doctor.Write{{Kind: kube.ConfigMapKind, In: []string{workloads.Namespace}, Fields: []string{"/data/" + formKey}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		maps, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		maps = slices.DeleteFunc(slices.Clone(maps), func(m *unstructured.Unstructured) bool { return kube.Text(m.Object, "data", formKey) == "" })
		if len(maps) == 0 {
			return nil, doctor.Skip("there is no notebook form")
		}
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		taints, err := gpuTaints(nodes)
		if err != nil || len(taints) == 0 {
			return nil, err
		}
		return formFindings(maps, taints)
	},
}

// formKey is where the form for a new notebook is configured.
const formKey = "spawner_ui_config.yaml"

// gpuTaints returns the distinct taints of GPU nodes for which AKS adds no toleration.
func gpuTaints(nodes []*unstructured.Unstructured) ([]corev1.Taint, error) {
	var taints []corev1.Taint
	for _, o := range nodes {
		var node corev1.Node
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &node); err != nil {
			return nil, fmt.Errorf("reading node %s: %w", o.GetName(), err)
		}
		count := node.Status.Allocatable["nvidia.com/gpu"]
		if count.IsZero() && node.Labels["accelerator"] != "nvidia" && node.Labels["kubernetes.azure.com/accelerator"] != "nvidia" {
			continue
		}
		for _, t := range node.Spec.Taints {
			t.TimeAdded = nil
			if t.Effect != corev1.TaintEffectPreferNoSchedule && t.Key != "nvidia.com/gpu" && !strings.HasPrefix(t.Key, "node.kubernetes.io/") && !slices.Contains(taints, t) {
				taints = append(taints, t)
			}
		}
	}
	return taints, nil
}

func formFindings(maps []*unstructured.Unstructured, taints []corev1.Taint) ([]doctor.Finding, error) {
	var findings []doctor.Finding
	for _, m := range maps {
		var missing []corev1.Taint
		for _, t := range taints {
			offered, err := offersToleration(kube.Text(m.Object, "data", formKey), t)
			if err != nil {
				return nil, err
			}
			if !offered {
				missing = append(missing, t)
			}
		}
		if len(missing) == 0 {
			continue
		}
		f := doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(m), Field: "data[" + formKey + "]"},
			Message:     "the notebook form offers no toleration for the GPU nodes' " + text.Names(missing, text.Most, func(t corev1.Taint) string { return "taint " + t.ToString() }),
			Consequence: "A notebook that requests a GPU stays Pending.",
			Command:     fmt.Sprintf("kubectl edit configmap -n %s %s", escape.Word(m.GetNamespace()), escape.Word(m.GetName())),
		}
		edited, err := addTolerations(kube.Text(m.Object, "data", formKey), missing)
		if err != nil {
			f.Advice = "Add a toleration group by hand: " + err.Error() + "."
		} else {
			f.Fix = &doctor.Fix{Title: "Offer the toleration in the notebook form", Impact: doctor.Safe, Changes: []cluster.Change{
				cluster.Edit(m, func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, edited, "data", formKey) }),
			}}
		}
		findings = append(findings, f)
	}
	return findings, nil
}
