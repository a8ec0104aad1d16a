package state

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const (
	Namespace      = "kubectl-kubeflow"
	Manager        = "kubectl-kubeflow"             // the field manager of what this program writes; doctor and expose append a suffix
	ManagedByLabel = "app.kubernetes.io/managed-by" // its value is Manager on the namespace and on every record
)

// UntrustedError is the cause of the error for a namespace that is not this program's, or that others can write to: nothing in
// it is believed, and nothing is written there.
type UntrustedError struct{ Why string }

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("the records in namespace %s cannot be trusted: %s", Namespace, e.Why)
}

func untrusted(why, next string) error {
	err := &UntrustedError{Why: why}
	return &problem.Error{What: err.Error(), Next: next, Err: err}
}

func ref() cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: Namespace}
}

// Check reports whether the namespace exists. The error is a [UntrustedError], wrapped in a problem.Error, if it exists and is not
// this program's alone.
func Check(ctx context.Context, view cluster.View) (exists bool, err error) {
	live, err := view.Get(ctx, ref())
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case apierrors.IsForbidden(err):
		return false, &problem.Error{Err: err, What: fmt.Sprintf("you are not allowed to read namespace %s, where this program keeps its records", Namespace), Next: AskFor}
	case err != nil:
		return false, fmt.Errorf("reading the namespace of the records: %w", err)
	}
	if why := foreign(live); why != "" {
		return true, untrusted(why, fmt.Sprintf("If you do not need what is in it, delete it with what created it: kubectl delete namespace %s", Namespace))
	}
	why, err := writableByOthers(ctx, view)
	if err != nil {
		return true, err
	}
	if why != "" {
		return true, untrusted(why, fmt.Sprintf("Delete that RoleBinding if it is not meant to be there, and what it may have let in: kubectl get rolebindings,configmaps,secrets -n %s", Namespace))
	}
	return true, nil
}

// profileLabels are labels that Kubeflow's Profile controller also sets, but other namespaces may have.
var profileLabels = map[string]string{"istio-injection": "enabled"}

// Ours reports whether a namespace is the one of the records and this program's, as far as it shows itself.
func Ours(namespace *unstructured.Unstructured) bool {
	return namespace.GetName() == Namespace && foreign(namespace) == ""
}

// foreign says why a namespace is not this program's, "" if it is. Kubeflow creates a namespace for whoever registers, by the name
// that they choose, and makes them its administrator: so one of this name counts only without any trace of that.
func foreign(namespace *unstructured.Unstructured) string {
	if why := OfUser(namespace); why != "" {
		return why
	}
	for label, value := range namespace.GetLabels() {
		if group, _, _ := strings.Cut(label, "/"); value != "" && profileLabels[label] == value || strings.HasSuffix(group, ".kubeflow.org") {
			return "it has the label " + label + " of a profile namespace"
		}
	}
	if namespace.GetLabels()[ManagedByLabel] != Manager {
		return fmt.Sprintf("it does not have the label %s=%s, so this program did not create it", ManagedByLabel, Manager)
	}
	return ""
}

// OfUser says what shows that a namespace belongs to a Profile or to another owner, "" if nothing does.
func OfUser(namespace *unstructured.Unstructured) string {
	if owners := namespace.GetOwnerReferences(); len(owners) > 0 {
		return fmt.Sprintf("it belongs to %s %s", owners[0].Kind, owners[0].Name)
	}
	if owner, found := namespace.GetAnnotations()["owner"]; found {
		return "it belongs to the Profile of " + owner
	}
	if namespace.GetLabels()["app.kubernetes.io/part-of"] == "kubeflow-profile" {
		return "it has the label app.kubernetes.io/part-of of a profile namespace"
	}
	return ""
}

// Ahead asks ahead for what [List] asks for, in each kind.
func Ahead(ctx context.Context, view cluster.View, in cluster.Scope, kinds ...schema.GroupKind) {
	in.Namespace = Namespace
	questions := []cluster.Question{{Ref: ref()}, {Kind: kube.RoleBindingKind, In: cluster.Scope{Namespace: Namespace}}}
	for _, kind := range kinds {
		questions = append(questions, cluster.Question{Kind: kind, In: in})
	}
	cluster.Ahead(ctx, view, questions...)
}

// List returns the records of a kind; none if there is no namespace for them. The errors are those of [Check].
func List(ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	exists, err := Check(ctx, view)
	if err != nil || !exists {
		return nil, err
	}
	in.Namespace = Namespace
	return cluster.IgnoreNoMatch(view.List(ctx, kind, in))
}

// AskFor says how a user gets what is missing to read or write records.
const AskFor = "Ask the cluster's administrator for the roles of this namespace, which docs/rbac.yaml holds, or name another user with --context"

// Ensure creates the namespace if it does not exist. The errors are those of [Check].
func Ensure(ctx context.Context, client *cluster.Client) error {
	for {
		view := client.View()
		exists, err := Check(ctx, view)
		if err != nil {
			return err
		}
		if exists {
			live, err := view.Get(ctx, ref())
			if err != nil || live.GetDeletionTimestamp() == nil {
				return err
			}
			if err := kube.Sleep(ctx, time.Second); err != nil { // an uninstall has just ended
				return fmt.Errorf("waiting until namespace %s is deleted: %w", Namespace, err)
			}
			continue
		}
		// Not an apply: that would add our label to a namespace that another client creates at this moment.
		_, err = client.Do(ctx, cluster.Change{Verb: cluster.Create, After: Object()}, cluster.Options{Manager: Manager})
		switch {
		case err == nil:
			return nil
		case apierrors.IsForbidden(err):
			return &problem.Error{Err: err, What: fmt.Sprintf("you are not allowed to create namespace %s, where this program keeps its records", Namespace), Next: AskFor}
		case !apierrors.IsAlreadyExists(err):
			return err
		}
	}
}

// Object returns the namespace as this program creates it.
func Object() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kube.NamespaceKind.Kind,
		"metadata": map[string]any{"name": Namespace, "labels": map[string]any{ManagedByLabel: Manager}},
	}}
}
