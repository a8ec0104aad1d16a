package mesh

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const (
	Proxy     = "istio-proxy"
	injectKey = "sidecar.istio.io/inject" // an annotation up to Kubeflow 1.9, a label from 1.10 on
)

// meshed tells whether a pod speaks mutual TLS: it has the proxy as a container, as a native sidecar, or is in an ambient mesh.
func meshed(pod *unstructured.Unstructured) bool {
	if pod.GetAnnotations()["ambient.istio.io/redirection"] == "enabled" {
		return true
	}
	for _, field := range []string{"containers", "initContainers"} {
		for _, c := range kube.Items(pod.Object, "spec", field) {
			if c["name"] == Proxy {
				return true
			}
		}
	}
	return false
}

// optsOut tells whether a pod asks not to be given a proxy, or cannot have one.
func optsOut(pod *unstructured.Unstructured) bool {
	host, _, _ := unstructured.NestedBool(pod.Object, "spec", "hostNetwork")
	return host || pod.GetAnnotations()[injectKey] == "false" || pod.GetLabels()[injectKey] == "false"
}

// A Bare value is the pods of a namespace that ask for a proxy and have none.
type Bare struct {
	namespace *unstructured.Unstructured
	pods      []*unstructured.Unstructured
	Workloads []*unstructured.Unstructured // what makes them, and can be restarted
	orphans   []*unstructured.Unstructured // pods that nothing would make again
}

// WithoutProxy finds the pods of a namespace that should have a proxy and have none, and what makes them.
func WithoutProxy(ctx context.Context, e doctor.Exam, namespace *unstructured.Unstructured) (Bare, error) {
	b := Bare{namespace: namespace}
	in := cluster.Scope{Namespace: namespace.GetName()}
	pods, err := workloads.PodsIn(ctx, e, in.Namespace)
	if err != nil {
		return b, err
	}
	owners := map[cluster.Ref]bool{}
	for _, pod := range pods {
		if !workloads.Lives(pod) || optsOut(pod) || meshed(pod) {
			continue
		}
		owner := metav1.GetControllerOf(pod)
		if owner != nil && owner.Kind != "ReplicaSet" && owner.Kind != "StatefulSet" && owner.Kind != "DaemonSet" {
			continue // a Job's, or an operator's: they end, or are made again by what watches them
		}
		b.pods = append(b.pods, pod)
		if owner == nil {
			b.orphans = append(b.orphans, pod)
			continue
		}
		owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: in.Namespace, Name: owner.Name}] = true
	}
	if len(owners) == 0 {
		return b, nil
	}
	b.Workloads, err = workloads.MakersOfPods(ctx, e, in, owners)
	return b, err
}

// Restarts returns the changes that make every workload's pods anew.
func (b Bare) Restarts() []cluster.Change {
	var changes []cluster.Change
	for _, w := range b.Workloads {
		changes = append(changes, doctor.RestartOf(w))
	}
	return changes
}

// asking returns Kubeflow's namespaces that ask for proxies, by either of Istio's labels.
func asking(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, selector := range []string{"istio-injection=enabled", "istio.io/rev"} {
		list, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{Labels: selector})
		if err != nil && !meta.IsNoMatchError(err) {
			return nil, err
		}
		for _, ns := range list {
			if workloads.Ours(ns) && !seen[ns.GetName()] && ns.GetLabels()["istio-injection"] != "disabled" {
				seen[ns.GetName()] = true
				all = append(all, ns)
			}
		}
	}
	return all, nil
}
