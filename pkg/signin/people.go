package signin

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
)

// A Profile is a user's namespace, with whom its owner shares it.
type Profile struct {
	Name         string            `json:"name"`
	Owner        string            `json:"owner"`
	Quota        map[string]string `json:"quota,omitempty"` // by resource, as the Profile has it
	Contributors []Contributor     `json:"contributors,omitempty"`

	object *unstructured.Unstructured
}

// A Contributor is a user to whom a RoleBinding gives a role of Kubeflow in the namespace of another user's Profile.
type Contributor struct {
	User string `json:"user"`
	Role string `json:"role"` // one of [tenancy.Roles]

	binding *unstructured.Unstructured
}

// ownerBinding is the RoleBinding of a Profile's owner, which the profile controller makes.
const ownerBinding = "namespaceAdmin"

// Profiles returns the Profiles with their contributors, by name. Who may do something is read from what RoleBindings grant, not from
// their annotations.
func Profiles(ctx context.Context, view cluster.View) ([]Profile, error) {
	cluster.Ahead(ctx, view, cluster.Question{Kind: kube.ProfileKind}, cluster.Question{Kind: kube.RoleBindingKind})
	list, err := cluster.IgnoreNoMatch(view.List(ctx, kube.ProfileKind, cluster.Scope{}))
	if err != nil {
		return nil, err
	}
	profiles := make([]Profile, 0, len(list))
	at := map[string]int{}
	for _, o := range list {
		at[o.GetName()] = len(profiles)
		quota, _, _ := unstructured.NestedStringMap(o.Object, "spec", "resourceQuotaSpec", "hard")
		profiles = append(profiles, Profile{Name: o.GetName(), Owner: kube.Text(o.Object, "spec", "owner", "name"), Quota: quota, object: o})
	}
	bindings, err := view.List(ctx, kube.RoleBindingKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	for _, b := range bindings {
		i, found := at[b.GetNamespace()]
		role, ours := strings.CutPrefix(kube.Text(b.Object, "roleRef", "name"), "kubeflow-")
		if !found || !ours || !slices.Contains(tenancy.Roles, role) || kube.Text(b.Object, "roleRef", "kind") != "ClusterRole" || b.GetName() == ownerBinding {
			continue
		}
		for _, subject := range kube.Items(b.Object, "subjects") {
			if kube.Text(subject, "kind") == "User" {
				profiles[i].Contributors = append(profiles[i].Contributors, Contributor{User: kube.Text(subject, "name"), Role: role, binding: b})
			}
		}
	}
	return profiles, nil
}
