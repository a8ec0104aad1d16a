package nodes

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// podsToCome are pods of one make that have no node yet.
type podsToCome struct {
	of      cluster.Ref // what makes them; the pod itself when nothing does
	count   int
	perNode bool // one on each node that takes them
	spec    corev1.PodSpec
}

// comingPods returns Kubeflow's pods that still need a node: those of what is about to be applied, or those that wait on the cluster.
func comingPods(ctx context.Context, e doctor.Exam) ([]podsToCome, error) {
	if e.Install != nil {
		pods, err := workloads.PodsOf(ctx, e, e.Install.Objects)
		if err != nil {
			return nil, err
		}
		return ofWorkloads(e.Install.Objects, pods)
	}
	pods, err := workloads.OwnPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var waiting []podsToCome
	for _, pod := range pods {
		if kube.Text(pod.Object, "spec", "nodeName") != "" {
			continue
		}
		spec, err := workloads.PodSpec(pod, "spec")
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, podsToCome{of: cluster.RefOf(pod), count: 1, spec: spec})
	}
	return waiting, nil
}

// ofWorkloads counts, for each workload, the pods that it asks for and that have no node yet.
func ofWorkloads(objects, pods []*unstructured.Unstructured) ([]podsToCome, error) {
	var coming []podsToCome
	for _, o := range objects {
		if !workloads.MakesPods(o.GroupVersionKind().GroupKind()) {
			continue
		}
		spec, err := workloads.PodSpec(o, "spec", "template", "spec")
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
