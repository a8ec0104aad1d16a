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
	ProxyContainer = "istio-proxy"
	injectLabel    = "sidecar.istio.io/inject" // an annotation up to Kubeflow 1.9, a label from 1.10 on
)

// inMesh reports whether a pod accepts mutual TLS: it has a sidecar (also a native one), or is in an ambient mesh.
func inMesh(pod *unstructured.Unstructured) bool {
	if pod.GetAnnotations()["ambient.istio.io/redirection"] == "enabled" {
		return true
	}
	for _, field := range []string{"containers", "initContainers"} {
		for _, c := range kube.Items(pod.Object, "spec", field) {
			if c["name"] == ProxyContainer {
				return true
			}
		}
	}
	return false
}

// optsOut reports whether a pod opts out of sidecar injection, or cannot have a sidecar.
func optsOut(pod *unstructured.Unstructured) bool {
	hostNetwork, _, _ := unstructured.NestedBool(pod.Object, "spec", "hostNetwork")
	return hostNetwork || pod.GetAnnotations()[injectLabel] == "false" || pod.GetLabels()[injectLabel] == "false"
}

// MissingSidecars are the pods of a namespace that should have a sidecar but do not.
type MissingSidecars struct {
	namespace *unstructured.Unstructured
	pods      []*unstructured.Unstructured
	Workloads []*unstructured.Unstructured // their controllers, which can be restarted
	orphans   []*unstructured.Unstructured // pods without a controller
}

// FindMissingSidecars returns the pods of a namespace that should have a sidecar but do not, and their controllers.
func FindMissingSidecars(ctx context.Context, e doctor.Exam, namespace *unstructured.Unstructured) (MissingSidecars, error) {
	b := MissingSidecars{namespace: namespace}
	pods, err := workloads.PodsIn(ctx, e, namespace.GetName())
	if err != nil {
		return b, err
	}
	owners := map[cluster.Ref]bool{}
	for _, pod := range pods {
		if !workloads.IsActive(pod) || optsOut(pod) || inMesh(pod) {
			continue
		}
		owner := metav1.GetControllerOf(pod)
		if owner != nil && owner.Kind != "ReplicaSet" && owner.Kind != "StatefulSet" && owner.Kind != "DaemonSet" {
			continue // pods of a Job end, and an operator recreates its own
		}
		b.pods = append(b.pods, pod)
		if owner == nil {
			b.orphans = append(b.orphans, pod)
			continue
		}
		owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: namespace.GetName(), Name: owner.Name}] = true
	}
	if len(owners) == 0 {
		return b, nil
	}
	b.Workloads, err = workloads.ControllersOf(ctx, e, namespace.GetName(), owners)
	return b, err
}

// Restarts returns the changes that restart every workload.
func (b MissingSidecars) Restarts() []cluster.Change {
	var changes []cluster.Change
	for _, w := range b.Workloads {
		changes = append(changes, doctor.RestartOf(w))
	}
	return changes
}

// injectedNamespaces returns Kubeflow's namespaces that request sidecars with either of Istio's labels.
func injectedNamespaces(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, ns := range namespaces {
		injection := ns.GetLabels()["istio-injection"]
		_, revision := ns.GetLabels()["istio.io/rev"]
		if workloads.IsKubeflow(ns) && (injection == "enabled" || revision && injection != "disabled") {
			all = append(all, ns)
		}
	}
	return all, nil
}
