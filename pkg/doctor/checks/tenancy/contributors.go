package tenancy

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var (
	serviceRoleBindingKind = schema.GroupKind{Group: "rbac.istio.io", Kind: "ServiceRoleBinding"} // in place of policies up to Kubeflow 1.2
)

// The annotations that Kubeflow's access management puts on both objects of a contributor.
const (
	UserAnnotation = "user"
	RoleAnnotation = "role"
)

// Roles are those that a contributor may have: ClusterRole kubeflow-edit, and so on.
var Roles = []string{"edit", "view", "admin"}

// OwnerPolicy is the policy by which the profile controller lets the owner in.
const OwnerPolicy = "ns-owner-access-istio"

var Contributors = &doctor.Check{
	ID:    "tenancy/contributors",
	Title: "Contributors have both a RoleBinding and an AuthorizationPolicy",
	Why: "A contributor of a Profile needs a RoleBinding, for the Kubernetes API, and an AuthorizationPolicy of the same name, for the web pages of notebooks " +
		"and models. With only one of them the user sees a notebook but cannot open it, or opens it though they were removed, and the dashboard can neither remove nor add them again.",
	FixNote: "--fix adds a missing AuthorizationPolicy: it admits the user of the RoleBinding, by the header that the policy of the Profile's owner asks for. A missing " +
		"RoleBinding is not added, because doctor gives no permissions: the finding has the command that removes the rest.",
	Sources: []string{"kubeflow/kubeflow#5984", "StatCan/aaw#1048"},
	Reads:   []schema.GroupKind{kube.NamespaceKind, kube.RoleBindingKind, dashboard.AuthorizationPolicyKind, serviceRoleBindingKind},
	Writes:  []doctor.Write{{Kind: dashboard.AuthorizationPolicyKind, In: []string{doctor.Profiles}, Fields: []string{"/metadata/annotations", "/spec/rules"}, Create: true}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		profiles, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		policies, err := e.List(ctx, dashboard.AuthorizationPolicyKind, cluster.Scope{Metadata: true})
		if err != nil {
			return nil, err
		}
		bindings, err := e.List(ctx, kube.RoleBindingKind, cluster.Scope{Metadata: true})
		if err != nil {
			return nil, err
		}
		older, err := workloads.ListIfKnown(ctx, e, serviceRoleBindingKind, cluster.Scope{Metadata: true})
		if err != nil {
			return nil, err
		}
		of := func(list []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
			return contributions(list, profiles)
		}
		access := slices.Concat(policies, older)
		left, right := without(of(bindings), access), without(of(access), bindings)
		findings, err := withoutPolicy(ctx, e, left)
		if len(right) > 0 {
			findings = append(findings, withoutBinding(right))
		}
		return findings, err
	},
}

// contributions returns the objects of contributors in profile namespaces, by namespace and name.
func contributions(list []*unstructured.Unstructured, profiles map[string]*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	found := map[string]*unstructured.Unstructured{}
	for _, o := range list {
		a := o.GetAnnotations()
		owner := o.GetName() == OwnerPolicy || o.GetName() == "namespaceAdmin" || o.GetName() == "owner-binding-istio"
		if profiles[o.GetNamespace()] != nil && a[UserAnnotation] != "" && a[RoleAnnotation] != "" && !owner {
			found[fullName(o)] = o
		}
	}
	return found
}

// without returns those of which the other half does not exist, in the order of their names. An object of the same name is the other half also
// without annotations: it may have been written by hand.
func without(contributions map[string]*unstructured.Unstructured, others []*unstructured.Unstructured) []*unstructured.Unstructured {
	has := map[string]bool{}
	for _, o := range others {
		has[fullName(o)] = true
	}
	var list []*unstructured.Unstructured
	for name, o := range contributions {
		if !has[name] {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *unstructured.Unstructured) int {
		return slices.Compare([]string{a.GetNamespace(), a.GetName()}, []string{b.GetNamespace(), b.GetName()})
	})
	return list
}

func fullName(o *unstructured.Unstructured) string { return o.GetNamespace() + "/" + o.GetName() }

// withoutPolicy reports contributors that only have a RoleBinding.
func withoutPolicy(ctx context.Context, e doctor.Exam, bindings []*unstructured.Unstructured) ([]doctor.Finding, error) {
	if len(bindings) == 0 {
		return nil, nil
	}
	first := bindings[0]
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(first)},
		Message:     fmt.Sprintf("%s of contributors without an AuthorizationPolicy of the same name (%s)", text.Plural(len(bindings), "RoleBinding"), text.Names(bindings, text.Most, fullName)),
		Consequence: "They see the notebooks and models of the Profile, but get \"RBAC: access denied\" when they open one, and the dashboard cannot remove them.",
		Cause:       fmt.Sprintf("AuthorizationPolicy %s/%s does not exist.", first.GetNamespace(), first.GetName()),
		Advice:      "Add the policy, or remove the RoleBinding and add the contributor again in the dashboard.",
		Command:     fmt.Sprintf("kubectl delete rolebinding -n %s %s", escape.Word(first.GetNamespace()), escape.Word(first.GetName())),
	}
	fix := &doctor.Fix{Title: "Add the AuthorizationPolicies of contributors", Impact: doctor.Safe}
	whole, owners, err := wholeObjects(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, b := range bindings {
		if policy := PolicyFor(whole[fullName(b)], owners[b.GetNamespace()+"/"+OwnerPolicy]); policy != nil {
			fix.Changes = append(fix.Changes, cluster.Change{Verb: cluster.Apply, After: policy})
		}
	}
	if len(fix.Changes) > 0 {
		f.Fix = fix
	}
	return []doctor.Finding{f}, nil
}

// wholeObjects reads the RoleBindings and the policies of owners, by namespace and name.
func wholeObjects(ctx context.Context, e doctor.Exam) (bindings, owners map[string]*unstructured.Unstructured, err error) {
	bindings, owners = map[string]*unstructured.Unstructured{}, map[string]*unstructured.Unstructured{}
	list, err := e.List(ctx, kube.RoleBindingKind, cluster.Scope{})
	if err != nil {
		return nil, nil, err
	}
	for _, o := range list {
		bindings[fullName(o)] = o
	}
	list, err = e.List(ctx, dashboard.AuthorizationPolicyKind, cluster.Scope{Fields: "metadata.name=" + OwnerPolicy})
	for _, o := range list {
		owners[fullName(o)] = o
	}
	return bindings, owners, err
}

// PolicyFor returns the policy that is missing: the owner's, for the user of the RoleBinding. It returns nil if the owner's has another
// shape than the profile controller gives it, or if the RoleBinding binds anything but its one user to a role of Kubeflow.
func PolicyFor(binding, owner *unstructured.Unstructured) *unstructured.Unstructured {
	if binding == nil || owner == nil {
		return nil
	}
	ns := binding.GetNamespace()
	role := binding.GetAnnotations()[RoleAnnotation]
	subjects := kube.Items(binding.Object, "subjects")
	if len(subjects) != 1 || kube.Text(subjects[0], "kind") != "User" || kube.Text(binding.Object, "roleRef", "name") != "kubeflow-"+role || !slices.Contains(Roles, role) {
		return nil
	}
	user := kube.Text(subjects[0], "name") // whom the RoleBinding gives permissions, whatever its annotation says
	prefix, header, known := headerOf(owner)
	if !known {
		return nil
	}
	rule := map[string]any{"when": []any{map[string]any{"key": header, "values": []any{prefix + user}}}}
	if from, found, _ := unstructured.NestedSlice(firstRule(owner), "from"); found {
		rule["from"] = from
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(),
		"metadata": map[string]any{"name": binding.GetName(), "namespace": ns, "annotations": map[string]any{UserAnnotation: user, RoleAnnotation: role}},
		"spec":     map[string]any{"rules": []any{rule}},
	}}
}

// firstRule returns the rule of an owner's policy that lets the owner in.
func firstRule(policy *unstructured.Unstructured) map[string]any {
	for _, rule := range kube.Items(policy.Object, "spec", "rules") {
		if len(kube.Items(rule, "when")) > 0 {
			return rule
		}
	}
	return map[string]any{}
}

// headerOf returns the header that names the user, as a condition's key, and what precedes the name in its value.
func headerOf(policy *unstructured.Unstructured) (prefix, key string, known bool) {
	when := kube.Items(firstRule(policy), "when")
	if len(when) != 1 {
		return "", "", false
	}
	key, values := kube.Text(when[0], "key"), kube.Texts(when[0], "values")
	owner := policy.GetAnnotations()[UserAnnotation]
	if len(values) != 1 || len(key) < len("request.headers[]") || key[:len("request.headers[")] != "request.headers[" {
		return "", "", false
	}
	if owner != "" && len(values[0]) > len(owner) && values[0][len(values[0])-len(owner):] == owner {
		prefix = values[0][:len(values[0])-len(owner)]
	}
	return prefix, key, true
}

// withoutBinding reports contributors that only have a policy.
func withoutBinding(policies []*unstructured.Unstructured) doctor.Finding {
	first := policies[0]
	return doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(first)},
		Message:     fmt.Sprintf("%s of contributors without a RoleBinding of the same name (%s)", plural(len(policies)), text.Names(policies, text.Most, fullName)),
		Consequence: "They can open notebooks and models of the Profile by their address, but the dashboard does not show the Profile to them, nor them to its owner.",
		Cause:       fmt.Sprintf("RoleBinding %s/%s does not exist.", first.GetNamespace(), first.GetName()),
		Advice:      "If the user is no longer a contributor, remove the policy. Otherwise remove it as well, and add the contributor again in the dashboard.",
		Command:     fmt.Sprintf("kubectl delete authorizationpolicies.security.istio.io -n %s %s", escape.Word(first.GetNamespace()), escape.Word(first.GetName())),
	}
}

func plural(n int) string {
	if n == 1 {
		return "1 AuthorizationPolicy"
	}
	return fmt.Sprintf("%d AuthorizationPolicies", n)
}
