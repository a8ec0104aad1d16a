package explain

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// ByRef explains why an object is not ready, from its pods, its conditions and the last event, down to the container where
// possible ("0/1 ready, container manager is crash-looping (exit code 1, 4 restarts)"). It returns "" for an object that is
// ready. It reads only what it needs; if a read fails, the explanation is shorter.
func ByRef(ctx context.Context, view cluster.View, ref cluster.Ref) string {
	o, err := view.Get(ctx, ref)
	switch {
	case apierrors.IsNotFound(err):
		return "it does not exist"
	case meta.IsNoMatchError(err):
		return "its kind does not exist on the cluster"
	case err != nil:
		return redact.Message("it cannot be read: " + err.Error())
	}
	return Object(ctx, view, o)
}

// Object is ByRef for an object that has been read already. Credentials in messages and events that it quotes are masked.
func Object(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	return redact.Message(why(ctx, view, o))
}

func why(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	ready, why := cluster.Ready(o)
	if going := BeingDeleted(o); going != "" {
		return going
	}
	if isDefinition := o.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind; ready && (Established(o) || !isDefinition) {
		return ""
	}
	switch o.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch", "ReplicationController":
		return whyWorkload(ctx, view, o)
	case "Pod":
		return cmp.Or(Pod(ctx, view, o), why)
	case "CustomResourceDefinition.apiextensions.k8s.io":
		return whyDefinition(o)
	case "APIService.apiregistration.k8s.io":
		return whyAPI(ctx, view, o)
	case "PersistentVolumeClaim":
		return cmp.Or(whyClaim(ctx, view, o), why)
	case "Service":
		return withDetail("it has no address yet", lastWarning(ctx, view, o))
	}
	return withDetail(cmp.Or(why, "it is not ready"), lastWarning(ctx, view, o))
}

// BeingDeleted says what the deletion of an object waits for, "" for one that is not being deleted.
func BeingDeleted(o *unstructured.Unstructured) string {
	if o.GetDeletionTimestamp() == nil {
		return ""
	}
	var left []string
	for _, c := range kube.Conditions(o) {
		if c.Status == metav1.ConditionTrue && strings.HasPrefix(c.Type, "Namespace") {
			left = append(left, c.Message)
		}
	}
	switch {
	case len(left) > 0:
		return "it is being deleted: " + strings.Join(left, "; ")
	case len(o.GetFinalizers()) > 0:
		return "it is being deleted, and waits for its finalizers: " + strings.Join(o.GetFinalizers(), ", ")
	}
	return "it is being deleted"
}

// whyDefinition says why a kind is not served yet.
func whyDefinition(o *unstructured.Unstructured) string {
	for _, kind := range []string{"NamesAccepted", "Established", "NonStructuralSchema", "KubernetesAPIApprovalPolicyConformant"} {
		c := kube.Condition(o, kind)
		bad := metav1.ConditionFalse
		if kind == "NonStructuralSchema" {
			bad = metav1.ConditionTrue
		}
		if c != nil && c.Status == bad && c.Reason != "Installing" {
			return fmt.Sprintf("it is not established: %s: %s", c.Reason, c.Message)
		}
	}
	return "it is being established"
}

// whyAPI says why an aggregated API is not available.
func whyAPI(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	why := "it is not available yet"
	if c := kube.Condition(o, "Available"); c != nil {
		why = "it is not available: " + cmp.Or(c.Message, c.Reason)
	}
	service := kube.Map(o.Object, "spec", "service")
	if service == nil {
		return why
	}
	return withDetail(why, whyService(ctx, view, cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: kube.Text(service, "namespace"), Name: kube.Text(service, "name")}))
}

// withDetail joins a statement and its detail; either may be empty.
func withDetail(what, detail string) string {
	if what == "" || detail == "" {
		return what + detail
	}
	return what + ", " + detail
}

func Established(o *unstructured.Unstructured) bool {
	return kube.IsTrue(o, "Established")
}
