package workloads

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// controllerKinds are the workloads that can be restarted.
var controllerKinds = []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind}

// controllerFields are what is read of workloads in profile namespaces, and all that a restart changes.
const controllerFields = "metadata/labels metadata/annotations metadata/ownerReferences metadata/creationTimestamp metadata/deletionTimestamp " +
	"spec/replicas spec/selector spec/template/metadata"

// EveryDeployment is how checks list the Deployments of the whole cluster: there may be thousands, of which few fields are enough.
var EveryDeployment = cluster.Scope{Keep: "metadata/labels metadata/ownerReferences spec/replicas spec/template/metadata/labels spec/template/spec/containers/name " +
	"spec/template/spec/containers/image spec/template/spec/containers/command spec/template/spec/containers/args"}

// EveryDefinition is how checks list CustomResourceDefinitions: their schemas are large.
var EveryDefinition = cluster.Scope{Keep: "spec/group spec/names spec/conversion spec/versions/name"}

// StatusFields are what is read of objects whose controllers write what is wrong with them: there may be thousands.
const StatusFields = "metadata/annotations metadata/creationTimestamp metadata/deletionTimestamp metadata/generation metadata/ownerReferences " +
	"status/conditions status/phase status/message"

// EveryNotebook is how checks list the Notebooks of all users.
var EveryNotebook = cluster.Scope{Keep: StatusFields + " spec/template/spec/containers/name spec/template/spec/containers/volumeMounts"}

// controllers are the workloads of one namespace, and its ReplicaSets.
type controllers struct{ sets, workloads []*unstructured.Unstructured }

// WorkloadsOf names the workload that a pod belongs to, as far as the pod tells: none, or one.
func WorkloadsOf(pod *unstructured.Unstructured) []cluster.Ref {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return nil
	}
	ref := cluster.Ref{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: pod.GetNamespace(), Name: owner.Name}
	if owner.Kind == kube.ReplicaSetKind.Kind {
		hash := pod.GetLabels()["pod-template-hash"]
		name, named := strings.CutSuffix(owner.Name, "-"+hash)
		if hash == "" || !named {
			name = owner.Name[:max(strings.LastIndexByte(owner.Name, '-'), 0)]
		}
		ref.Kind, ref.Name = kube.DeploymentKind.Kind, name
	}
	return []cluster.Ref{ref}
}

// ControllersOf returns the workloads of a namespace to restart to recreate the pods of these owners.
func ControllersOf(ctx context.Context, e doctor.Exam, namespace string, owners map[cluster.Ref]bool) ([]*unstructured.Unstructured, error) {
	all, err := controllersIn(ctx, e, namespace)
	if err != nil {
		return nil, err
	}
	for _, set := range all.sets {
		ref := cluster.Ref{APIVersion: "apps", Kind: "ReplicaSet", Namespace: namespace, Name: set.GetName()}
		if owner := metav1.GetControllerOf(set); owner != nil && owners[ref] {
			owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: namespace, Name: owner.Name}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all.workloads), func(o *unstructured.Unstructured) bool {
		return !owners[cluster.Ref{APIVersion: "apps", Kind: o.GetKind(), Namespace: namespace, Name: o.GetName()}]
	}), nil
}

// controllersIn returns the workloads of a namespace: of Kubeflow's own it lists them, for profile namespaces it lists those of all
// namespaces, once.
func controllersIn(ctx context.Context, e doctor.Exam, namespace string) (controllers, error) {
	if IsSystem(namespace) {
		in, err := listControllers(ctx, e, cluster.Scope{Namespace: namespace}, "")
		return in[namespace], err
	}
	all, err := doctor.Once(e, "controllers", func() (map[string]controllers, error) {
		return listControllers(ctx, e, cluster.Scope{}, controllerFields)
	})
	return all[namespace], err
}

func listControllers(ctx context.Context, e doctor.Exam, in cluster.Scope, keep string) (map[string]controllers, error) {
	sets, err := e.List(ctx, kube.ReplicaSetKind, cluster.Scope{Namespace: in.Namespace, Metadata: true, Keep: "metadata/ownerReferences"})
	if err != nil {
		return nil, err
	}
	all := map[string]controllers{}
	for namespace, list := range byNamespace(sets) {
		all[namespace] = controllers{sets: list}
	}
	for _, kind := range controllerKinds {
		list, err := e.List(ctx, kind, cluster.Scope{Namespace: in.Namespace, Keep: keep})
		if err != nil {
			return nil, err
		}
		for namespace, list := range byNamespace(list) {
			c := all[namespace]
			c.workloads = append(c.workloads, list...)
			all[namespace] = c
		}
	}
	return all, nil
}
