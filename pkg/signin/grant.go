package signin

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Grant is what one user is to have.
type Grant struct {
	User          string
	Profile       string            // a Profile of the user's own; "" for none
	ContributorOf []string          // other users' Profiles
	Role          string            // there: one of [tenancy.Roles], "edit" if ""
	Quota         map[string]string // of the user's own Profile: limits by resource, cpu=8; nil leaves it
}

// ProfileFor returns the name of a Profile that Kubeflow's own dashboard would propose for an e-mail address.
func ProfileFor(user string) string {
	name, _, _ := strings.Cut(strings.ToLower(user), "@")
	return strings.Trim(truncate(unsafeInNames.ReplaceAllString(name, "-"), validation.DNS1123LabelMaxLength), "-")
}

func truncate(s string, most int) string { return s[:min(len(s), most)] }

// Check returns what is wrong with a grant itself, as a *problem.Error.
func (g Grant) Check() error {
	usage := func(what, next string) error { return &problem.Error{Usage: true, What: what, Next: next} }
	if parsed, err := mail.ParseAddress(g.User); err != nil || parsed.Address != g.User {
		return usage(fmt.Sprintf("%q is not an e-mail address", g.User), "Kubeflow knows users by their e-mail addresses, for example ann@example.com")
	}
	if g.Role != "" && !slices.Contains(tenancy.Roles, g.Role) {
		return usage(fmt.Sprintf("there is no role %q", g.Role), "The roles are "+strings.Join(tenancy.Roles, ", "))
	}
	for _, name := range append(slices.Clone(g.ContributorOf), g.Profile) {
		if name != "" && len(validation.IsDNS1123Label(name)) > 0 {
			return usage(fmt.Sprintf("%q cannot be the name of a Profile", name), "Use lower-case letters, digits and '-', at most 63")
		}
	}
	if len(g.Quota) > 0 && g.Profile == "" {
		return usage("a quota is for a Profile of the user's own", "Add --profile, or leave out the quota")
	}
	for name, amount := range g.Quota {
		if q, err := resource.ParseQuantity(amount); err != nil || q.Sign() < 0 {
			return usage(fmt.Sprintf("%q is not an amount of %s", amount, name), "For example: --quota cpu=8,memory=32Gi,gpu=1")
		}
	}
	return nil
}

// quotaNames are short names of resources in a ResourceQuota.
var quotaNames = map[string]string{
	"cpu": "requests.cpu", "memory": "requests.memory", "gpu": "requests.nvidia.com/gpu", "storage": "requests.storage",
}

func (g Grant) quota() map[string]any {
	hard := map[string]any{}
	for name, amount := range g.Quota {
		if full := quotaNames[name]; full != "" {
			name = full
		}
		hard[name] = amount
	}
	return hard
}

// Add returns the changes that give a user what a grant says; none where the user has it. policies are the AuthorizationPolicies of owners,
// by namespace; a mesh without them has none. Another user's Profile is refused, and so is one that does not exist.
func Add(g Grant, profiles []Profile, policies map[string]*unstructured.Unstructured) ([]cluster.Change, error) {
	var changes []cluster.Change
	if g.Profile != "" {
		change, err := g.own(find(profiles, g.Profile))
		if err != nil {
			return nil, err
		}
		changes = append(changes, change...)
	}
	for _, name := range g.ContributorOf {
		p := find(profiles, name)
		switch {
		case p == nil:
			return nil, &problem.Error{What: fmt.Sprintf("there is no Profile %s", name), Next: "See the Profiles with: kubectl kubeflow auth user list"}
		case p.Owner == g.User:
			continue
		}
		added, err := g.contribute(p, policies[name])
		if err != nil {
			return nil, err
		}
		changes = append(changes, added...)
	}
	return changes, nil
}

// Split separates from grants the shares of Profiles that do not exist yet and that one of the grants creates: the profile controller fills
// their namespaces first.
func Split(grants []Grant, profiles []Profile) (now, later []Grant) {
	for _, g := range grants {
		early, late := g, Grant{User: g.User, Role: g.Role}
		early.ContributorOf = nil
		for _, name := range g.ContributorOf {
			if find(profiles, name) == nil && slices.ContainsFunc(grants, func(o Grant) bool { return o.Profile == name }) {
				late.ContributorOf = append(late.ContributorOf, name)
			} else {
				early.ContributorOf = append(early.ContributorOf, name)
			}
		}
		now = append(now, early)
		if len(late.ContributorOf) > 0 {
			later = append(later, late)
		}
	}
	return now, later
}

func find(profiles []Profile, name string) *Profile {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &profiles[i]
}

// own returns the change that makes the user's Profile what the grant says.
func (g Grant) own(now *Profile) ([]cluster.Change, error) {
	if now == nil {
		spec := map[string]any{"owner": map[string]any{"kind": "User", "name": g.User}}
		if len(g.Quota) > 0 {
			spec["resourceQuotaSpec"] = map[string]any{"hard": g.quota()}
		}
		return []cluster.Change{{Verb: cluster.Create, After: &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "kubeflow.org/v1", "kind": kube.ProfileKind.Kind, "metadata": map[string]any{"name": g.Profile}, "spec": spec,
		}}}}, nil
	}
	if now.Owner != g.User {
		return nil, &problem.Error{What: fmt.Sprintf("Profile %s belongs to %s", now.Name, now.Owner),
			Next: "Choose another name with --profile, or make the user a contributor with --contributor-of " + now.Name}
	}
	if len(g.Quota) == 0 {
		return nil, nil
	}
	change := cluster.Edit(now.object, func(o *unstructured.Unstructured) {
		hard, _, _ := unstructured.NestedMap(o.Object, "spec", "resourceQuotaSpec", "hard")
		if hard == nil {
			hard = map[string]any{}
		}
		for name, amount := range g.quota() {
			hard[name] = amount
		}
		_ = unstructured.SetNestedMap(o.Object, hard, "spec", "resourceQuotaSpec", "hard")
	})
	if equality.Semantic.DeepEqual(change.Before.Object, change.After.Object) {
		return nil, nil
	}
	return []cluster.Change{change}, nil
}

// contribute returns the two objects that Kubeflow's access management makes of a contributor, where they are missing.
func (g Grant) contribute(p *Profile, owner *unstructured.Unstructured) ([]cluster.Change, error) {
	role := g.Role
	if role == "" {
		role = tenancy.Roles[0]
	}
	if slices.ContainsFunc(p.Contributors, func(c Contributor) bool { return c.User == g.User && c.Role == role }) {
		return nil, nil
	}
	if i := slices.IndexFunc(p.Contributors, func(c Contributor) bool { return c.binding.GetName() == bindingName(g.User, role) }); i >= 0 {
		return nil, SameName(p.Contributors[i].User, g.User, p.Name)
	}
	binding := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kube.RoleBindingKind.Kind,
		"metadata": map[string]any{"name": bindingName(g.User, role), "namespace": p.Name, "annotations": map[string]any{tenancy.UserAnnotation: g.User, tenancy.RoleAnnotation: role}},
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-" + role},
		"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": g.User}},
	}}
	policy := tenancy.PolicyFor(binding, owner)
	if policy == nil {
		return nil, &problem.Error{What: fmt.Sprintf("namespace %s has no AuthorizationPolicy %s of the form that the profile controller writes", p.Name, tenancy.OwnerPolicy),
			Next: "Find out why with: kubectl kubeflow doctor tenancy"}
	}
	return []cluster.Change{{Verb: cluster.Create, After: binding}, {Verb: cluster.Create, After: policy}}, nil
}

var unsafeInNames = regexp.MustCompile(`[^a-z0-9]+`)

// SameName is the error if two people would share one RoleBinding of a Profile. Kubeflow itself finds it by that name when somebody is
// removed, so another name would let it remove the wrong one.
func SameName(has, wants, profile string) error {
	return &problem.Error{What: fmt.Sprintf("Kubeflow keeps %s and %s under the same name in Profile %s, so that only one of them can share it", has, wants, profile),
		Next: "Use an address of the other that differs in letters or digits"}
}

// bindingName is the name that Kubeflow's access management gives both objects of a contributor, so that the dashboard can remove them.
func bindingName(user, role string) string {
	return unsafeInNames.ReplaceAllString(strings.ToLower("user-"+user+"-clusterrole-"+role), "-")
}

// A Removal is what takes a user's access away.
type Removal struct {
	Changes []cluster.Change // RoleBindings and AuthorizationPolicies of a contributor
	Own     []Profile        // Profiles of the user's own, whose deletion loses their data
	Kept    []cluster.Ref    // RoleBindings that let the user in and name other people as well, which this program does not delete
}

// Remove returns what takes away what a user has in other users' Profiles, and which are the user's own. policies are the AuthorizationPolicies of
// contributors, by namespace and name.
func Remove(user string, profiles []Profile, policies map[string]*unstructured.Unstructured) Removal {
	var r Removal
	for _, p := range profiles {
		if p.Owner == user {
			r.Own = append(r.Own, p)
		}
		for _, c := range p.Contributors {
			switch {
			case c.User != user:
				continue
			case len(kube.Items(c.binding.Object, "subjects")) != 1:
				r.Kept = append(r.Kept, cluster.RefOf(c.binding))
				continue
			}
			r.Changes = append(r.Changes, cluster.Change{Verb: cluster.Delete, Before: c.binding})
			if policy := policies[p.Name+"/"+c.binding.GetName()]; policy != nil && policy.GetAnnotations()[tenancy.UserAnnotation] == user {
				r.Changes = append(r.Changes, cluster.Change{Verb: cluster.Delete, Before: policy})
			}
		}
	}
	return r
}

// With returns the changes of a removal, and the deletions of the user's own Profiles that are named. Any other Profile is refused.
func (r Removal) With(user string, named []string) ([]cluster.Change, error) {
	changes := slices.Clone(r.Changes)
	for _, name := range named {
		i := slices.IndexFunc(r.Own, func(p Profile) bool { return p.Name == name })
		if i < 0 {
			return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s has no Profile %s", user, name), Next: "See the Profiles with: kubectl kubeflow auth user list"}
		}
		changes = append(changes, cluster.Change{Verb: cluster.Delete, Before: r.Own[i].object})
	}
	return changes, nil
}
