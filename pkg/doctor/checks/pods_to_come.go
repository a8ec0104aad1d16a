package checks

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// podsToCome are pods of one make that have no node yet.
type podsToCome struct {
	of      cluster.Ref // what makes them; the pod itself when nothing does
	count   int
	perNode bool // one on each node that takes them
	spec    corev1.PodSpec
}

// unfinished leaves out the pods that hold nothing on their node any more.
const unfinished = "status.phase!=Succeeded,status.phase!=Failed"

// everyPod returns the pods of the whole cluster that are not done: for what is free on the nodes, and only where pods are to come.
func everyPod(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	return e.List(ctx, kube.PodKind, cluster.Scope{Fields: unfinished})
}

// comingPods returns Kubeflow's pods that still need a node: those of what is about to be applied, or those that wait on the cluster.
func comingPods(ctx context.Context, e doctor.Exam) ([]podsToCome, error) {
	if e.Install != nil {
		pods, err := podsOf(ctx, e, e.Install.Objects)
		if err != nil {
			return nil, err
		}
		return ofWorkloads(e.Install.Objects, pods)
	}
	pods, err := ownPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var waiting []podsToCome
	for _, pod := range pods {
		if kube.Text(pod.Object, "spec", "nodeName") != "" {
			continue
		}
		spec, err := podSpec(pod, "spec")
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, podsToCome{of: cluster.RefOf(pod), count: 1, spec: spec})
	}
	return waiting, nil
}

// podsOf returns the pods in the namespaces that workloads are about to be applied to.
func podsOf(ctx context.Context, e doctor.Exam, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var pods []*unstructured.Unstructured
	asked := map[string]bool{}
	for _, o := range objects {
		if name := o.GetNamespace(); makesPods(o.GroupVersionKind().GroupKind()) && !asked[name] {
			asked[name] = true
			list, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: name})
			if err != nil {
				return nil, err
			}
			pods = append(pods, list...)
		}
	}
	return slices.DeleteFunc(pods, func(pod *unstructured.Unstructured) bool { return !lives(pod) }), nil
}

// ofWorkloads counts, for each workload, the pods that it asks for and that have no node yet.
func ofWorkloads(objects, pods []*unstructured.Unstructured) ([]podsToCome, error) {
	var coming []podsToCome
	for _, o := range objects {
		if !makesPods(o.GroupVersionKind().GroupKind()) {
			continue
		}
		spec, err := podSpec(o, "spec", "template", "spec")
		if err != nil {
			return nil, err
		}
		p := podsToCome{of: cluster.RefOf(o), count: 1, spec: spec, perNode: o.GetKind() == "DaemonSet"}
		if replicas, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
			p.count = int(replicas)
		}
		there, err := placed(o, pods)
		if err != nil {
			return nil, err
		}
		if p.count -= there; p.perNode && there == 0 || !p.perNode && p.count > 0 {
			coming = append(coming, p)
		}
	}
	return coming, nil
}

func makesPods(kind schema.GroupKind) bool {
	return slices.Contains([]schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.JobKind}, kind)
}

// placed counts a workload's pods that have a node.
func placed(workload *unstructured.Unstructured, pods []*unstructured.Unstructured) (int, error) {
	chosen := labels.Set(nil)
	selector := labels.Nothing()
	if content, found, _ := unstructured.NestedMap(workload.Object, "spec", "selector"); found {
		var s metav1.LabelSelector
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &s)
		if err == nil {
			selector, err = metav1.LabelSelectorAsSelector(&s)
		}
		if err != nil {
			return 0, fmt.Errorf("reading the selector of %s: %w", cluster.RefOf(workload), err)
		}
	} else if workload.GetKind() == "Job" { // the server gives it a selector
		chosen = labels.Set{"job-name": workload.GetName()}
		selector = chosen.AsSelector()
	}
	n := 0
	for _, pod := range pods {
		if pod.GetNamespace() == workload.GetNamespace() && kube.Text(pod.Object, "spec", "nodeName") != "" && selector.Matches(labels.Set(pod.GetLabels())) {
			n++
		}
	}
	return n, nil
}

func podSpec(o *unstructured.Unstructured, fields ...string) (corev1.PodSpec, error) {
	var spec corev1.PodSpec
	content, _, _ := unstructured.NestedMap(o.Object, fields...)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &spec); err != nil {
		return spec, fmt.Errorf("reading the pods of %s: %w", cluster.RefOf(o), err)
	}
	return spec, nil
}

// listIfKnown lists a kind that a cluster may not have.
func listIfKnown(ctx context.Context, e doctor.Exam, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	list, err := e.List(ctx, kind, in)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	return list, err
}
