package workloads

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Kubeflow's own namespaces are few, and read one by one. Its users' may be hundreds, beside other people's: what Kubeflow
// keeps in them is asked for by its labels, for all of them at once, so that the number of questions stays the same.

// Namespaces are those that Kubeflow's parts live in: webhooks served from there are Kubeflow's, and they act there.
var Namespaces = []string{
	Namespace, "kubeflow-system", dashboard.KubeflowNamespace, "knative-serving", "knative-eventing", "cert-manager", "auth", "oauth2-proxy",
}

const ProfileLabel = "app.kubernetes.io/part-of"

// Ours tells whether a namespace is Kubeflow's own or one of its users'.
func Ours(namespace *unstructured.Unstructured) bool {
	return Central(namespace.GetName()) || ofUser(namespace)
}

// Central tells whether a namespace is one of Kubeflow's own.
func Central(name string) bool { return slices.Contains(Namespaces, name) }

// ofUser tells whether a namespace belongs to a Profile.
func ofUser(namespace *unstructured.Unstructured) bool {
	return namespace.GetLabels()[ProfileLabel] == "kubeflow-profile"
}

const (
	// UserServers are the labels of what Kubeflow runs in every user's namespace, and of its Services.
	UserServers = "app in (ml-pipeline-ui-artifact,ml-pipeline-visualizationserver)"
	userSlices  = "kubernetes.io/service-name in (ml-pipeline-ui-artifact,ml-pipeline-visualizationserver)"
	notebooks   = "notebook-name" // the label of a notebook's pod
	stillToRun  = "status.phase=Pending"
)

// Users returns the namespaces of Kubeflow's users, by name.
func Users(ctx context.Context, e doctor.Exam) (map[string]*unstructured.Unstructured, error) {
	spaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	found := map[string]*unstructured.Unstructured{}
	for _, ns := range spaces {
		if ofUser(ns) && !Central(ns.GetName()) {
			found[ns.GetName()] = ns
		}
	}
	return found, nil
}

// userPods returns the pods in users' namespaces that Kubeflow runs there, its notebooks, and whatever waits for a node or an image.
func userPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	users, err := Users(ctx, e)
	if err != nil {
		return nil, err
	}
	var pods []*unstructured.Unstructured
	seen := map[cluster.Ref]bool{}
	for _, in := range []cluster.Scope{{Labels: UserServers}, {Labels: notebooks}, {Fields: stillToRun}} {
		list, err := e.List(ctx, kube.PodKind, in)
		if err != nil {
			return nil, err
		}
		for _, pod := range list {
			if ref := cluster.RefOf(pod); users[pod.GetNamespace()] != nil && !seen[ref] {
				seen[ref] = true
				pods = append(pods, pod)
			}
		}
	}
	return pods, nil
}

// OwnPods returns Kubeflow's pods that are not done: all in its own namespaces, and [userPods].
func OwnPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	pods, err := e.ListIn(ctx, kube.PodKind, Namespaces...)
	if err != nil {
		return nil, err
	}
	more, err := userPods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	return slices.DeleteFunc(append(pods, more...), func(pod *unstructured.Unstructured) bool { return !Lives(pod) }), nil
}

// PodsIn returns the pods of one namespace; of a user's, as far as [userPods] knows them.
func PodsIn(ctx context.Context, e doctor.Exam, namespace string) ([]*unstructured.Unstructured, error) {
	if Central(namespace) {
		return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	}
	users, err := Users(ctx, e)
	if err != nil || users[namespace] == nil {
		if err != nil {
			return nil, err
		}
		return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	}
	pods, err := userPods(ctx, e)
	return slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool { return pod.GetNamespace() != namespace }), err
}

// SlicesIn returns the endpoints of one namespace; of a user's, those of [UserServers].
func SlicesIn(ctx context.Context, e doctor.Exam, namespace string) ([]*unstructured.Unstructured, error) {
	if Central(namespace) {
		return e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	}
	users, err := Users(ctx, e)
	if err != nil {
		return nil, err
	}
	if users[namespace] == nil {
		return e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	}
	list, err := e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Labels: userSlices})
	return slices.DeleteFunc(slices.Clone(list), func(s *unstructured.Unstructured) bool { return s.GetNamespace() != namespace }), err
}

// WaitingPods returns the pods that wait for a node or an image, in all namespaces: they are few, whatever the cluster's size.
func WaitingPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	return e.List(ctx, kube.PodKind, cluster.Scope{Fields: stillToRun})
}

// mostClaims is how many claims of users' pods are looked at.
const mostClaims = 20

// OwnClaims returns the volume claims of Kubeflow's own namespaces, of what is about to be applied, and of users' pods that wait.
func OwnClaims(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	claims, err := e.ListIn(ctx, kube.PersistentVolumeClaimKind, Namespaces...)
	if err != nil {
		return nil, err
	}
	var more []cluster.Ref
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			if o.GroupVersionKind().GroupKind() == kube.PersistentVolumeClaimKind && !Central(o.GetNamespace()) {
				more = append(more, cluster.RefOf(o))
			}
		}
	}
	pods, err := userPods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	for _, pod := range pods {
		for _, volume := range kube.Items(pod.Object, "spec", "volumes") {
			if name := kube.Text(volume, "persistentVolumeClaim", "claimName"); name != "" && kube.Text(pod.Object, "status", "phase") == "Pending" && len(more) < mostClaims {
				more = append(more, cluster.Ref{APIVersion: "v1", Kind: kube.PersistentVolumeClaimKind.Kind, Namespace: pod.GetNamespace(), Name: name})
			}
		}
	}
	for _, ref := range more {
		claim, err := e.Get(ctx, ref)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		claims = append(claims, claim)
	}
	return claims, nil
}

// EachOwn lists the objects of some kinds in Kubeflow's own namespaces.
func EachOwn(ctx context.Context, e doctor.Exam, kinds ...schema.GroupKind) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, kind := range kinds {
		list, err := e.ListIn(ctx, kind, Namespaces...)
		if err != nil {
			return nil, err
		}
		objects = append(objects, list...)
	}
	return objects, nil
}
