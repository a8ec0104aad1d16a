package pods

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const memoryLimit = "/spec/template/spec/containers/*/resources/limits/memory"

// mostMemory is the largest limit that a fix sets: what needs more needs a person.
const mostMemory = 16 << 30

// judgeMemory names the limit of a container that was killed for its memory, and offers twice as much.
func judgeMemory(ctx context.Context, e doctor.Exam, f *doctor.Finding, pod *unstructured.Unstructured, c kube.Container) error {
	if c.Last == nil || c.Last.Reason != "OOMKilled" {
		return nil
	}
	f.Cause = fmt.Sprintf("The container %s was killed because it used more memory than it may (OOMKilled).", c.Name)
	f.Advice = "Raise its memory limit, or use nodes with more memory."
	if !workloads.IsSystem(pod.GetNamespace()) {
		return nil
	}
	for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind} {
		list, err := e.List(ctx, kind, cluster.Scope{Namespace: pod.GetNamespace()})
		if err != nil {
			return err
		}
		for _, o := range list {
			chosen, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
			limit, err := resource.ParseQuantity(kube.Text(named(o, c.Name), "resources", "limits", "memory"))
			if len(chosen) == 0 || !labels.SelectorFromSet(chosen).Matches(labels.Set(pod.GetLabels())) || err != nil || limit.Value() <= 0 {
				continue
			}
			f.Cause = fmt.Sprintf("The container %s was killed because it used more memory than its limit of %s (OOMKilled).", c.Name, limit.String())
			if had, err := resource.ParseQuantity(limitOf(pod, c.Name)); err == nil && had.Cmp(limit) < 0 {
				return nil // it has been raised since, and the pod is still to be replaced
			}
			double := resource.NewQuantity(2*limit.Value(), limit.Format)
			if double.Value() > mostMemory {
				return nil
			}
			f.Fix = &doctor.Fix{Title: fmt.Sprintf("Raise the memory limit of %s from %s to %s", kube.KindName(o), limit.String(), double.String()), Impact: doctor.RestartsPods,
				Changes: []cluster.Change{cluster.Edit(o, func(o *unstructured.Unstructured) {
					_ = unstructured.SetNestedField(named(o, c.Name), double.String(), "resources", "limits", "memory")
				})}}
			return nil
		}
	}
	return nil
}

// limitOf returns the memory limit of a pod's container.
func limitOf(pod *unstructured.Unstructured, container string) string {
	for _, c := range kube.Items(pod.Object, "spec", "containers") {
		if kube.Text(c, "name") == container {
			return kube.Text(c, "resources", "limits", "memory")
		}
	}
	return ""
}

// named returns a container of a workload's pods, nil if there is none of this name.
func named(workload *unstructured.Unstructured, container string) map[string]any {
	for _, c := range kube.Items(workload.Object, "spec", "template", "spec", "containers") {
		if kube.Text(c, "name") == container {
			return c
		}
	}
	return nil
}
