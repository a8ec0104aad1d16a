package team

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var PodDefaults = &doctor.Check{
	ID:    "team/pod-defaults",
	Title: "PodDefaults of a notebook do not contradict each other",
	Why: "A PodDefault adds variables, volumes and mounts to the notebooks that select it (\"configurations\" in the form). Two that set the same thing to different " +
		"values contradict each other: the webhook rejects the pod, and the notebook never starts.",
	FixNote: "No automatic fix: you decide which of the values is right. Change one of the PodDefaults, or select only one of them.",
	Reach:   doctor.OneNamespace,
	Reads:   []schema.GroupKind{kube.PodDefaultKind, kube.NotebookKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Namespace == "" {
			return nil, doctor.Skip("it is part of doctor -n NAMESPACE")
		}
		defaults, err := e.List(ctx, kube.PodDefaultKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		notebooks, err := e.List(ctx, kube.NotebookKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, n := range notebooks {
			if f := contradiction(n, selecting(n, defaults)); f != nil {
				findings = append(findings, *f)
			}
		}
		return findings, nil
	},
}

// selecting returns the PodDefaults that apply to the pod of a notebook.
func selecting(notebook *unstructured.Unstructured, defaults []*unstructured.Unstructured) []*unstructured.Unstructured {
	set := labels.Set{"notebook-name": notebook.GetName()}
	maps.Copy(set, notebook.GetLabels())
	template, _, _ := unstructured.NestedStringMap(notebook.Object, "spec", "template", "metadata", "labels")
	maps.Copy(set, template)
	var chosen []*unstructured.Unstructured
	for _, d := range defaults {
		var selector metav1.LabelSelector
		if runtime.DefaultUnstructuredConverter.FromUnstructured(kube.Map(d.Object, "spec", "selector"), &selector) != nil {
			continue
		}
		if s, err := metav1.LabelSelectorAsSelector(&selector); err == nil && s.Matches(set) {
			chosen = append(chosen, d)
		}
	}
	return chosen
}

// merged are the lists that PodDefaults add to, with the field by which the webhook knows their items.
var merged = map[string]string{"env": "name", "volumes": "name", "volumeMounts": "mountPath"}

// contradiction returns the finding about the first item that two PodDefaults set differently; nil if there is none.
func contradiction(notebook *unstructured.Unstructured, defaults []*unstructured.Unstructured) *doctor.Finding {
	for _, list := range slices.Sorted(maps.Keys(merged)) {
		type setting struct {
			item map[string]any
			by   *unstructured.Unstructured
		}
		seen := map[string]setting{}
		for _, d := range defaults {
			for _, item := range kube.Items(d.Object, "spec", list) {
				key := kube.Text(item, merged[list])
				before, twice := seen[key]
				if !twice {
					seen[key] = setting{item, d}
				} else if before.by != d && !reflect.DeepEqual(before.item, item) {
					return contradictionFinding(notebook, before.by, d, list, key)
				}
			}
		}
	}
	return nil
}

func contradictionFinding(notebook, a, b *unstructured.Unstructured, list, key string) *doctor.Finding {
	return &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(b), Field: "spec." + list},
		Message:     fmt.Sprintf("PodDefaults %s of Notebook %s set %s of %s to different values", text.And(a.GetName(), b.GetName()), notebook.GetName(), key, list),
		Consequence: "The webhook rejects the notebook's pod: the notebook does not start, or not again after it is stopped.",
		Advice:      "Change one of them, or select only one of them in the notebook.",
		Command:     fmt.Sprintf("kubectl edit poddefault -n %s %s", escape.Word(b.GetNamespace()), escape.Word(b.GetName())),
	}
}
