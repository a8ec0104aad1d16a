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

// pendingPods are pods of one workload that have no node yet.
type pendingPods struct {
	owner   cluster.Ref // their workload; the pod itself if it has none
	count   int
	perNode bool // a DaemonSet: one on each accepting node
	spec    corev1.PodSpec
}

// listPendingPods returns Kubeflow's pods that need a node: those of the install, or the pending ones on the cluster.
func listPendingPods(ctx context.Context, e doctor.Exam) ([]pendingPods, error) {
	if e.Install != nil {
		pods, err := workloads.PodsOf(ctx, e, e.Install.Objects)
		if err != nil {
			return nil, err
		}
		return pendingOf(e.Install.Objects, pods)
	}
	pods, err := workloads.KubeflowPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var waiting []pendingPods
	for _, pod := range pods {
		if kube.Text(pod.Object, "spec", "nodeName") != "" {
			continue
		}
		spec, err := workloads.PodSpec(pod, "spec")
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, pendingPods{owner: cluster.RefOf(pod), count: 1, spec: spec})
	}
	return waiting, nil
}

// pendingOf counts, for each workload, its replicas that have no node yet.
func pendingOf(objects, pods []*unstructured.Unstructured) ([]pendingPods, error) {
	var coming []pendingPods
	for _, o := range objects {
		if !workloads.IsWorkload(o.GroupVersionKind().GroupKind()) {
			continue
		}
		spec, err := workloads.PodSpec(o, "spec", "template", "spec")
		if err != nil {
			return nil, err
		}
		p := pendingPods{owner: cluster.RefOf(o), count: 1, spec: spec, perNode: o.GetKind() == "DaemonSet"}
		if replicas, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
			p.count = int(replicas)
		}
		there, err := countScheduled(o, pods)
		if err != nil {
			return nil, err
		}
		if p.count -= there; p.perNode && there == 0 || !p.perNode && p.count > 0 {
			coming = append(coming, p)
		}
	}
	return coming, nil
}

// countScheduled returns how many pods of a workload have a node.
func countScheduled(workload *unstructured.Unstructured, pods []*unstructured.Unstructured) (int, error) {
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
	} else if workload.GetKind() == "Job" { // its selector is set by the API server
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
