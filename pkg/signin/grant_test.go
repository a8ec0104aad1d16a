package signin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const people = `
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: ann, uid: "1", resourceVersion: "7"}
spec: {owner: {kind: User, name: ann@example.com}, resourceQuotaSpec: {hard: {requests.cpu: "4"}}}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: team}
spec: {owner: {kind: User, name: lead@example.com}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: namespaceAdmin, namespace: team, annotations: {user: lead@example.com, role: admin}}
roleRef: {kind: ClusterRole, name: kubeflow-admin}
subjects: [{kind: User, name: lead@example.com}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: user-ben-example-com-clusterrole-view, namespace: team, annotations: {user: somebody.else@example.com, role: admin}}
roleRef: {kind: ClusterRole, name: kubeflow-view}
subjects: [{kind: User, name: ben@example.com}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: all, namespace: team}
roleRef: {kind: ClusterRole, name: kubeflow-edit}
subjects: [{kind: User, name: ben@example.com}, {kind: User, name: eve@example.com}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: other, namespace: team}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: joe@example.com}]
`

const policy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ns-owner-access-istio, namespace: team, annotations: {user: lead@example.com, role: admin}}
spec:
  rules:
  - from: [{source: {principals: [cluster.local/ns/istio-system/sa/gateway]}}]
    when: [{key: "request.headers[kubeflow-userid]", values: [lead@example.com]}]
  - when: [{key: source.namespace, values: [team]}]
`

func given(t *testing.T) ([]Profile, map[string]*unstructured.Unstructured) {
	t.Helper()
	profiles, err := Profiles(t.Context(), cluster.Objects("a cluster", nil, kubetest.Objects(t, []byte(people))...))
	if err != nil {
		t.Fatal(err)
	}
	return profiles, map[string]*unstructured.Unstructured{"team": kubetest.Objects(t, []byte(policy))[0]}
}

func TestContributorsAreWhomRoleBindingsName(t *testing.T) {
	profiles, _ := given(t)
	var got []string
	for _, p := range profiles {
		for _, c := range p.Contributors {
			got = append(got, p.Name+" "+c.User+" "+c.Role)
		}
	}
	slices.Sort(got)
	if want := []string{"team ben@example.com edit", "team ben@example.com view", "team eve@example.com edit"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAUserGetsWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		grant Grant
		want  string // the changes
		says  string // the error
	}{
		"a Profile":            {grant: Grant{User: "joe@example.com", Profile: "joe"}, want: "create Profile/joe"},
		"a Profile that it is": {grant: Grant{User: "ann@example.com", Profile: "ann"}},
		"another quota":        {grant: Grant{User: "ann@example.com", Profile: "ann", Quota: map[string]string{"cpu": "8"}}, want: "patch Profile/ann"},
		"the same quota":       {grant: Grant{User: "ann@example.com", Profile: "ann", Quota: map[string]string{"cpu": "4"}}},
		"another's Profile":    {grant: Grant{User: "joe@example.com", Profile: "ann"}, says: "Profile ann belongs to ann@example.com"},
		"a share": {grant: Grant{User: "ann@example.com", ContributorOf: []string{"team"}},
			want: "create RoleBinding/team/user-ann-example-com-clusterrole-edit, create AuthorizationPolicy/team/user-ann-example-com-clusterrole-edit"},
		"a share that it has":       {grant: Grant{User: "ben@example.com", ContributorOf: []string{"team"}, Role: "view"}},
		"a share of another's name": {grant: Grant{User: "ben-example@com", ContributorOf: []string{"team"}, Role: "view"}, says: "keeps ben@example.com and ben-example@com under the same name"},
		"a share of its own":        {grant: Grant{User: "lead@example.com", ContributorOf: []string{"team"}}},
		"a share of nothing":        {grant: Grant{User: "ann@example.com", ContributorOf: []string{"nobody"}}, says: "there is no Profile nobody"},
		"a share without a model":   {grant: Grant{User: "ben@example.com", ContributorOf: []string{"ann"}}, says: "namespace ann has no AuthorizationPolicy ns-owner-access-istio"},
	} {
		profiles, owners := given(t)
		changes, err := Add(c.grant, profiles, owners)
		var got []string
		for _, change := range changes {
			got = append(got, string(change.Verb)+" "+change.Ref().String())
		}
		var refused *problem.Error
		switch {
		case c.says != "" && (!errors.As(err, &refused) || !strings.Contains(refused.What, c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		case c.says == "" && (err != nil || strings.Join(got, ", ") != c.want):
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestAContributorIsLetInAsTheOwnerIs(t *testing.T) {
	profiles, owners := given(t)
	changes, err := Add(Grant{User: "ann@example.com", ContributorOf: []string{"team"}}, profiles, owners)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%v, %v", changes, err)
	}
	rule := kube.Items(changes[1].After.Object, "spec", "rules")[0]
	when := kube.Items(rule, "when")[0]
	if kube.Text(when, "key") != "request.headers[kubeflow-userid]" || !slices.Equal(kube.Texts(when, "values"), []string{"ann@example.com"}) || rule["from"] == nil {
		t.Errorf("%v", rule)
	}
}

func TestRemovingAUserLeavesOthersAndTheUsersData(t *testing.T) {
	profiles, _ := given(t)
	r := Remove("ben@example.com", profiles, nil)
	if len(r.Changes) != 1 || r.Changes[0].Ref().Name != "user-ben-example-com-clusterrole-view" || len(r.Own) != 0 || len(r.Kept) != 1 || r.Kept[0].Name != "all" {
		t.Errorf("%v", r)
	}
	r = Remove("ann@example.com", profiles, nil)
	if len(r.Changes) != 0 || len(r.Own) != 1 {
		t.Errorf("%v", r)
	}
	if changes, err := r.With("ann@example.com", []string{"ann"}); err != nil || len(changes) != 1 || changes[0].Verb != cluster.Delete {
		t.Errorf("%v, %v", changes, err)
	}
	if _, err := r.With("ann@example.com", []string{"team"}); err == nil {
		t.Error("another user's Profile would be deleted")
	}
}

func TestGrantsAreChecked(t *testing.T) {
	for says, g := range map[string]Grant{
		"is not an e-mail address":         {User: "ann", Profile: "ann"},
		"is not an e-mail address of this": {User: "Ann <ann@example.com>", Profile: "ann"},
		"there is no role":                 {User: "ann@example.com", ContributorOf: []string{"team"}, Role: "owner"},
		"cannot be the name":               {User: "ann@example.com", Profile: "../x"},
		"a quota is for a Profile":         {User: "ann@example.com", Quota: map[string]string{"cpu": "1"}},
		"is not an amount of cpu":          {User: "ann@example.com", Profile: "ann", Quota: map[string]string{"cpu": "many"}},
	} {
		says = strings.TrimSuffix(says, " of this")
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", g, err, says)
		}
	}
	for user, want := range map[string]string{"Ann.Lee@example.com": "ann-lee", "_x_@example.com": "x", strings.Repeat("y", 80) + "@example.com": strings.Repeat("y", 63)} {
		if got := ProfileFor(user); got != want {
			t.Errorf("%s: %q, want %q", user, got, want)
		}
	}
}

func TestSharesOfNewProfilesComeLater(t *testing.T) {
	profiles, _ := given(t)
	now, later := Split([]Grant{
		{User: "ben@example.com", ContributorOf: []string{"team", "joe"}, Role: "view"},
		{User: "joe@example.com", Profile: "joe"},
		{User: "eve@example.com", ContributorOf: []string{"nobody"}},
	}, profiles)
	if len(now) != 3 || !slices.Equal(now[0].ContributorOf, []string{"team"}) || !slices.Equal(now[2].ContributorOf, []string{"nobody"}) {
		t.Errorf("now: %+v", now)
	}
	if len(later) != 1 || later[0].User != "ben@example.com" || later[0].Role != "view" || !slices.Equal(later[0].ContributorOf, []string{"joe"}) {
		t.Errorf("later: %+v", later)
	}
}
