package state

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// WriterRole is the Role of docs/rbac.yaml whose holders write records. Only who may write Roles and RoleBindings in the namespace
// can bind it.
const WriterRole = "kubectl-kubeflow-doctor-fix"

const rbacGroup = "rbac.authorization.k8s.io"

// writableByOthers says which RoleBinding lets others than the cluster's own components and administrators write to the namespace, ""
// if none does. Who is not allowed to list RoleBindings has few permissions, which is all that a planted record could use.
func writableByOthers(ctx context.Context, view cluster.View) (string, error) {
	bindings, err := cluster.IgnoreNoMatch(view.List(ctx, kube.RoleBindingKind, cluster.Scope{Namespace: Namespace}))
	if apierrors.IsForbidden(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading who can write to namespace %s: %w", Namespace, err)
	}
	for _, binding := range bindings {
		subject := stranger(binding)
		if subject == "" {
			continue
		}
		role := cluster.Ref{APIVersion: rbacGroup + "/v1", Kind: kube.Text(binding.Object, "roleRef", "kind"), Name: kube.Text(binding.Object, "roleRef", "name")}
		if role.Kind == "Role" {
			role.Namespace = Namespace
		}
		if role.Kind == "Role" && role.Name == WriterRole {
			continue
		}
		live, err := view.Get(ctx, role)
		if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			return "", fmt.Errorf("reading who can write to namespace %s: %w", Namespace, err)
		}
		if err != nil || writes(live) { // a role that is not known may allow everything
			return fmt.Sprintf("RoleBinding %s lets %s write to it", binding.GetName(), subject), nil
		}
	}
	return "", nil
}

// stranger returns a subject of a RoleBinding that is not one of Kubernetes' own, "" if there is none.
func stranger(binding *unstructured.Unstructured) string {
	for _, subject := range kube.Items(binding.Object, "subjects") {
		kind, name, namespace := kube.Text(subject, "kind"), kube.Text(subject, "name"), kube.Text(subject, "namespace")
		switch {
		case kind == "ServiceAccount" && namespace == "kube-system":
		case kind == "Group" && name == "system:masters":
		case kind == "User" && strings.HasPrefix(name, "system:kube-"):
		case kind == "ServiceAccount":
			return fmt.Sprintf("%s %s/%s", kind, namespace, name)
		default:
			return kind + " " + name
		}
	}
	return ""
}

// writes reports whether a role allows anything but reading.
func writes(role *unstructured.Unstructured) bool {
	for _, rule := range kube.Items(role.Object, "rules") {
		verbs, _, err := unstructured.NestedStringSlice(rule, "verbs")
		if err != nil || slices.ContainsFunc(verbs, func(v string) bool { return !slices.Contains([]string{"get", "list", "watch"}, v) }) {
			return true
		}
	}
	return false
}
