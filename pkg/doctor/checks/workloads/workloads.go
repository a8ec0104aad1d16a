package workloads

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// IsActive reports whether a pod is neither finished nor being deleted.
func IsActive(pod *unstructured.Unstructured) bool {
	phase := kube.Text(pod.Object, "status", "phase")
	return pod.GetDeletionTimestamp() == nil && phase != "Succeeded" && phase != "Failed"
}

// Restarted returns what a fix does that restarts the workloads of these namespaces; of all of Kubeflow's if none is named.
func Restarted(namespaces ...string) []doctor.Write {
	if len(namespaces) == 0 {
		namespaces = append(slices.Clone(Namespaces), doctor.Profiles)
	}
	return []doctor.Write{
		{Kind: kube.DeploymentKind, In: namespaces, Restart: true},
		{Kind: kube.StatefulSetKind, In: namespaces, Restart: true},
		{Kind: kube.DaemonSetKind, In: namespaces, Restart: true},
	}
}

const Namespace = "kubeflow" // the namespace that every release up to now lives in

// CrashingContainer returns the first container of a pod that is in CrashLoopBackOff.
func CrashingContainer(pod *unstructured.Unstructured) (kube.Container, bool) {
	for _, c := range kube.Containers(pod) {
		if c.CrashLooping() {
			return c, true
		}
	}
	return kube.Container{}, false
}

// activeOnly selects the pods that occupy resources on a node.
const activeOnly = "status.phase!=Succeeded,status.phase!=Failed"

// AllPods returns the unfinished pods of the whole cluster. Only capacity checks need them.
func AllPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	return e.List(ctx, kube.PodKind, cluster.Scope{Fields: activeOnly})
}

// PodsOf returns the pods in the namespaces that workloads are about to be applied to.
func PodsOf(ctx context.Context, e doctor.Exam, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var pods []*unstructured.Unstructured
	asked := map[string]bool{}
	for _, o := range objects {
		if name := o.GetNamespace(); IsWorkload(o.GroupVersionKind().GroupKind()) && !asked[name] {
			asked[name] = true
			list, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: name})
			if err != nil {
				return nil, err
			}
			pods = append(pods, list...)
		}
	}
	return slices.DeleteFunc(pods, func(pod *unstructured.Unstructured) bool { return !IsActive(pod) }), nil
}

func IsWorkload(kind schema.GroupKind) bool {
	return slices.Contains([]schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.JobKind}, kind)
}

func PodSpec(o *unstructured.Unstructured, fields ...string) (corev1.PodSpec, error) {
	var spec corev1.PodSpec
	content, _, _ := unstructured.NestedMap(o.Object, fields...)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &spec); err != nil {
		return spec, fmt.Errorf("reading the pods of %s: %w", cluster.RefOf(o), err)
	}
	return spec, nil
}

// ListIfKnown lists a kind that a cluster may not have.
func ListIfKnown(ctx context.Context, e doctor.Exam, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	list, err := e.List(ctx, kind, in)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	return list, err
}

// Find returns an object, or nil if it does not exist.
func Find(ctx context.Context, e doctor.Exam, ref cluster.Ref) (*unstructured.Unstructured, error) {
	o, err := e.Get(ctx, ref)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return o, err
}
