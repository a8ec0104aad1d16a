package workloads

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Kubeflow's own namespaces are few, and listed one by one. There may be hundreds of profile namespaces: Kubeflow's objects in
// them are listed by label across all namespaces, so that the number of requests stays constant.

// Namespaces are those that Kubeflow's components run in. A webhook whose Service is in one of them is Kubeflow's.
var Namespaces = doctor.Namespaces

const ProfileLabel = doctor.ProfileLabel

// IsKubeflow reports whether a namespace is one of Kubeflow's own or a profile namespace.
func IsKubeflow(namespace *unstructured.Unstructured) bool {
	return IsSystem(namespace.GetName()) || isProfile(namespace)
}

// IsSystem reports whether a namespace is one of Kubeflow's own.
func IsSystem(name string) bool { return slices.Contains(Namespaces, name) }

// isProfile reports whether a namespace belongs to a Profile.
func isProfile(namespace *unstructured.Unstructured) bool {
	return doctor.IsProfile(namespace)
}

const (
	// ProfileServers selects the servers, and their Services, that Kubeflow runs in every profile namespace.
	ProfileServers     = "app in (ml-pipeline-ui-artifact,ml-pipeline-visualizationserver)"
	profileSliceLabels = "kubernetes.io/service-name in (ml-pipeline-ui-artifact,ml-pipeline-visualizationserver)"
	notebookLabel      = "notebook-name" // the label of a notebook's pod
	pendingOnly        = "status.phase=Pending"
)

// ProfileNamespaces returns the profile namespaces by name. The map is shared: clone it before changing it.
func ProfileNamespaces(ctx context.Context, e doctor.Exam) (map[string]*unstructured.Unstructured, error) {
	return doctor.Once(e, "profile namespaces", func() (map[string]*unstructured.Unstructured, error) {
		namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		found := map[string]*unstructured.Unstructured{}
		for _, ns := range namespaces {
			if isProfile(ns) && !IsSystem(ns.GetName()) {
				found[ns.GetName()] = ns
			}
		}
		return found, nil
	})
}

// podFields are what checks read of the pods in profile namespaces that run. There may be ten thousands of them.
const podFields = "metadata/labels metadata/annotations metadata/generateName metadata/ownerReferences metadata/creationTimestamp metadata/deletionTimestamp " +
	"spec/nodeName spec/hostNetwork spec/serviceAccountName spec/containers/name spec/containers/image spec/initContainers/name spec/initContainers/image " +
	"spec/containers/readinessProbe spec/containers/startupProbe spec/containers/resources/limits " +
	"status/phase status/reason status/message status/conditions/type status/conditions/status status/conditions/reason status/conditions/message status/conditions/lastTransitionTime " +
	"status/containerStatuses/name status/containerStatuses/ready status/containerStatuses/image status/containerStatuses/restartCount status/containerStatuses/state/waiting status/containerStatuses/state/running/name status/containerStatuses/state/terminated status/containerStatuses/lastState " +
	"status/initContainerStatuses/name status/initContainerStatuses/ready status/initContainerStatuses/image status/initContainerStatuses/restartCount status/initContainerStatuses/state/waiting status/initContainerStatuses/state/running/name status/initContainerStatuses/state/terminated status/initContainerStatuses/lastState"

// profilePodScopes select the pods in profile namespaces that Kubeflow runs, and pending pods. Pending ones are few, and read whole.
var profilePodScopes = []cluster.Scope{{Fields: pendingOnly}, {Labels: ProfileServers, Keep: podFields}, {Labels: notebookLabel, Keep: podFields}}

// profilePods are the active pods in profile namespaces that Kubeflow runs, notebooks, and pending pods.
type profilePods struct {
	all []*unstructured.Unstructured // by namespace
	in  map[string][]*unstructured.Unstructured
}

func listProfilePods(ctx context.Context, e doctor.Exam) (profilePods, error) {
	return doctor.Once(e, "profile pods", func() (profilePods, error) {
		pods := profilePods{in: map[string][]*unstructured.Unstructured{}}
		users, err := ProfileNamespaces(ctx, e)
		if err != nil {
			return pods, err
		}
		scopes := profilePodScopes
		if e.Namespace != "" {
			scopes = []cluster.Scope{{}}
		}
		lists, err := e.Lists(ctx, kube.PodKind, scopes...)
		if err != nil {
			return pods, err
		}
		type name struct{ namespace, name string }
		seen := map[name]bool{}
		for _, list := range lists {
			for _, pod := range list {
				n := name{pod.GetNamespace(), pod.GetName()}
				if users[n.namespace] != nil && !seen[n] && IsActive(pod) {
					seen[n] = true
					pods.in[n.namespace] = append(pods.in[n.namespace], pod)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(pods.in)) {
			pods.all = append(pods.all, pods.in[name]...)
		}
		return pods, nil
	})
}

// profileSlices returns the EndpointSlices of [ProfileServers], by namespace.
func profileSlices(ctx context.Context, e doctor.Exam) (map[string][]*unstructured.Unstructured, error) {
	return doctor.Once(e, "profile slices", func() (map[string][]*unstructured.Unstructured, error) {
		list, err := e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Labels: profileSliceLabels})
		return byNamespace(list), err
	})
}

func byNamespace(list []*unstructured.Unstructured) map[string][]*unstructured.Unstructured {
	in := map[string][]*unstructured.Unstructured{}
	for _, o := range list {
		in[o.GetNamespace()] = append(in[o.GetNamespace()], o)
	}
	return in
}

// KubeflowPods returns Kubeflow's active pods: all in its own namespaces, and [profilePods].
func KubeflowPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	pods, err := e.ListIn(ctx, kube.PodKind, Namespaces...)
	if err != nil {
		return nil, err
	}
	more, err := listProfilePods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	return append(slices.DeleteFunc(pods, func(pod *unstructured.Unstructured) bool { return !IsActive(pod) }), more.all...), nil
}

// PodsIn returns the pods of one namespace; in a profile namespace, only [profilePods].
func PodsIn(ctx context.Context, e doctor.Exam, namespace string) ([]*unstructured.Unstructured, error) {
	if IsSystem(namespace) {
		return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	}
	users, err := ProfileNamespaces(ctx, e)
	if err != nil || users[namespace] == nil {
		if err != nil {
			return nil, err
		}
		return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	}
	pods, err := listProfilePods(ctx, e)
	return pods.in[namespace], err
}

// SlicesIn returns the EndpointSlices of one namespace; in a profile namespace, those of [ProfileServers].
func SlicesIn(ctx context.Context, e doctor.Exam, namespace string) ([]*unstructured.Unstructured, error) {
	if IsSystem(namespace) {
		return e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	}
	users, err := ProfileNamespaces(ctx, e)
	if err != nil {
		return nil, err
	}
	if users[namespace] == nil {
		return e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	}
	list, err := profileSlices(ctx, e)
	return list[namespace], err
}

// PendingPods returns the pending pods of all namespaces: there are few, whatever the cluster's size.
func PendingPods(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	return e.List(ctx, kube.PodKind, cluster.Scope{Fields: pendingOnly})
}

// maxClaims limits how many PVCs of profile namespaces are read.
const maxClaims = 20

// KubeflowPVCs returns the PVCs of Kubeflow's own namespaces, of the install, and of pending pods in profile namespaces.
func KubeflowPVCs(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	if e.Namespace != "" {
		return e.List(ctx, kube.PersistentVolumeClaimKind, cluster.Scope{})
	}
	claims, err := e.ListIn(ctx, kube.PersistentVolumeClaimKind, Namespaces...)
	if err != nil {
		return nil, err
	}
	var more []cluster.Ref
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			if o.GroupVersionKind().GroupKind() == kube.PersistentVolumeClaimKind && !IsSystem(o.GetNamespace()) {
				more = append(more, cluster.RefOf(o))
			}
		}
	}
	pods, err := PendingPods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	users, err := ProfileNamespaces(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	for _, pod := range pods {
		if users[pod.GetNamespace()] == nil {
			continue
		}
		for _, volume := range kube.Items(pod.Object, "spec", "volumes") {
			if name := kube.Text(volume, "persistentVolumeClaim", "claimName"); name != "" && len(more) < maxClaims {
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

// KubeflowAhead asks ahead for objects of several kinds in Kubeflow's own namespaces.
func KubeflowAhead(ctx context.Context, e doctor.Exam, kinds ...schema.GroupKind) {
	for _, kind := range kinds {
		for _, name := range Namespaces {
			cluster.Ahead(ctx, e, cluster.Question{Kind: kind, In: cluster.Scope{Namespace: name}})
		}
	}
}

// ListKubeflow lists objects of several kinds in Kubeflow's own namespaces.
func ListKubeflow(ctx context.Context, e doctor.Exam, kinds ...schema.GroupKind) ([]*unstructured.Unstructured, error) {
	KubeflowAhead(ctx, e, kinds...)
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
