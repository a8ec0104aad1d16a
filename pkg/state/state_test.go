package state

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const ours = `{apiVersion: v1, kind: Namespace, metadata: {name: kubectl-kubeflow, labels: {app.kubernetes.io/managed-by: kubectl-kubeflow}}}`

// binding lets a subject do something in the namespace.
func binding(subject, role, verbs string) string {
	return ours + `
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: kubectl-kubeflow}, roleRef: {kind: Role, name: ` + role + `}, subjects: [` + subject + `]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: ` + role + `, namespace: kubectl-kubeflow}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [` + verbs + `]}]}
`
}

func TestRecordsAreBelievedOnlyInANamespaceOfOurs(t *testing.T) {
	const jane = "{kind: User, name: jane}"
	for _, c := range []struct{ name, objects, want string }{
		{"none", "", "absent"},
		{"created by this program", ours, ""},
		{"with labels of the cluster's own", strings.Replace(ours, "labels: {", "labels: {kubernetes.io/metadata.name: kubectl-kubeflow, team: ml, ", 1), ""},
		{"created by another client", `{apiVersion: v1, kind: Namespace, metadata: {name: kubectl-kubeflow}}`, "this program did not create it"},
		{"of a Profile", strings.Replace(ours, "labels:", "ownerReferences: [{apiVersion: kubeflow.org/v1, kind: Profile, name: kubectl-kubeflow, uid: u}], labels:", 1), "it belongs to Profile kubectl-kubeflow"},
		{"of any owner", strings.Replace(ours, "labels:", "ownerReferences: [{apiVersion: example.org/v1, kind: Tenant, name: a, uid: u}], labels:", 1), "it belongs to Tenant a"},
		{"with the annotation of a Profile", strings.Replace(ours, "labels:", "annotations: {owner: jane@example.com}, labels:", 1), "it belongs to the Profile of jane@example.com"},
		{"with the part-of label of a Profile", strings.Replace(ours, "labels: {", "labels: {app.kubernetes.io/part-of: kubeflow-profile, ", 1), "part-of of a profile namespace"},
		{"with Katib's label of a Profile", strings.Replace(ours, "labels: {", "labels: {katib.kubeflow.org/metrics-collector-injection: enabled, ", 1), "of a profile namespace"},
		{"with an injected mesh", strings.Replace(ours, "labels: {", "labels: {istio-injection: enabled, ", 1), "of a profile namespace"},

		{"that others read", binding(jane, "reader", "get, list, watch"), ""},
		{"that a user writes", binding(jane, "writer", "get, patch"), "RoleBinding b lets User jane write to it"},
		{"that any verb is allowed in", binding(jane, "writer", "'*'"), "RoleBinding b lets User jane write to it"},
		{"that every service account writes", binding("{kind: Group, name: 'system:serviceaccounts'}", "writer", "create"), "lets Group system:serviceaccounts write"},
		{"that a service account writes", binding("{kind: ServiceAccount, name: default-editor, namespace: team}", "writer", "create"), "lets ServiceAccount team/default-editor write"},
		{"that a service account writes by its user name", binding("{kind: User, name: 'system:serviceaccount:team:default-editor'}", "writer", "create"), "default-editor write"},
		{"that a second subject writes", binding("{kind: Group, name: 'system:masters'}, "+jane, "writer", "create"), "lets User jane write"},
		{"that administrators write", binding("{kind: Group, name: 'system:masters'}", "writer", "create"), ""},
		{"that the cluster's controllers write", binding("{kind: ServiceAccount, name: generic-garbage-collector, namespace: kube-system}", "writer", "delete"), ""},
		{"that holders of the documented role write", binding(jane, WriterRole, "create, patch, delete"), ""},
		{"that a role writes which does not exist", strings.Replace(binding(jane, "reader", "get"), "name: reader}, subjects", "name: gone}, subjects", 1), "lets User jane write"},
		{"that a role of the cluster writes", strings.Replace(binding(jane, WriterRole, "create"), "roleRef: {kind: Role", "roleRef: {kind: ClusterRole", 1), "lets User jane write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := cluster.Saved("a test", cluster.Memory{}, kubetest.Objects(t, []byte(c.objects))...)
			exists, err := Check(t.Context(), view)
			switch {
			case c.want == "absent" || c.want == "":
				if err != nil || exists != (c.want == "") {
					t.Fatalf("got %v, %v", exists, err)
				}
			default:
				var failure *problem.Error
				if !errors.As(err, new(*UntrustedError)) || !errors.As(err, &failure) || failure.Next == "" {
					t.Fatalf("want an UntrustedError with advice, got %v", err)
				}
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %q, want %q", err, c.want)
				}
			}
		})
	}
}
