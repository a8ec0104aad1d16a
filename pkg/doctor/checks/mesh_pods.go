package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const (
	proxy     = "istio-proxy"
	injectKey = "sidecar.istio.io/inject" // an annotation up to Kubeflow 1.9, a label from 1.10 on
)

// meshed tells whether a pod speaks mutual TLS: it has the proxy as a container, as a native sidecar, or is in an ambient mesh.
func meshed(pod *unstructured.Unstructured) bool {
	if pod.GetAnnotations()["ambient.istio.io/redirection"] == "enabled" {
		return true
	}
	for _, field := range []string{"containers", "initContainers"} {
		for _, c := range kube.Items(pod.Object, "spec", field) {
			if c["name"] == proxy {
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

// lives tells whether a pod is there to stay: not ended, not about to go.
func lives(pod *unstructured.Unstructured) bool {
	phase := kube.Text(pod.Object, "status", "phase")
	return pod.GetDeletionTimestamp() == nil && phase != "Succeeded" && phase != "Failed"
}

// A bare value is the pods of a namespace that ask for a proxy and have none.
type bare struct {
	namespace *unstructured.Unstructured
	pods      []*unstructured.Unstructured
	workloads []*unstructured.Unstructured // what makes them, and can be restarted
	orphans   []*unstructured.Unstructured // pods that nothing would make again
}

// withoutProxy finds the pods of a namespace that should have a proxy and have none, and what makes them.
func withoutProxy(ctx context.Context, e doctor.Exam, namespace *unstructured.Unstructured) (bare, error) {
	b := bare{namespace: namespace}
	in := cluster.Scope{Namespace: namespace.GetName()}
	pods, err := podsIn(ctx, e, in.Namespace)
	if err != nil {
		return b, err
	}
	owners := map[cluster.Ref]bool{}
	for _, pod := range pods {
		if !lives(pod) || optsOut(pod) || meshed(pod) {
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
	b.workloads, err = workloads(ctx, e, in, owners)
	return b, err
}

// workloads returns what can be restarted so that these owners' pods are made anew.
func workloads(ctx context.Context, e doctor.Exam, in cluster.Scope, owners map[cluster.Ref]bool) ([]*unstructured.Unstructured, error) {
	sets, err := e.List(ctx, kube.ReplicaSetKind, cluster.Scope{Namespace: in.Namespace, Metadata: true})
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		ref := cluster.Ref{APIVersion: "apps", Kind: "ReplicaSet", Namespace: in.Namespace, Name: set.GetName()}
		if owner := metav1.GetControllerOf(set); owner != nil && owners[ref] {
			owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: in.Namespace, Name: owner.Name}] = true
		}
	}
	var found []*unstructured.Unstructured
	for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind} {
		list, err := e.List(ctx, kind, in)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if owners[cluster.Ref{APIVersion: "apps", Kind: kind.Kind, Namespace: in.Namespace, Name: o.GetName()}] {
				found = append(found, o)
			}
		}
	}
	return found, nil
}

// restarts returns the changes that make every workload's pods anew.
func (b bare) restarts() []cluster.Change {
	var changes []cluster.Change
	for _, w := range b.workloads {
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
			if ours(ns) && !seen[ns.GetName()] && ns.GetLabels()["istio-injection"] != "disabled" {
				seen[ns.GetName()] = true
				all = append(all, ns)
			}
		}
	}
	return all, nil
}
