package checks

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

const (
	reader = "kubectl-kubeflow-doctor"
	fixer  = state.WriterRole
)

// secretNamespaces are those whose Secrets checks read or fixes write: no other Secrets have to be readable.
var secretNamespaces = []string{"auth", dashboard.KubeflowNamespace, workloads.Namespace, "oauth2-proxy"}

// namedSecrets are Secrets of profile namespaces that checks read and fixes write, by name: no others have to be readable there.
var namedSecrets = map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "resourceNames": anys(pipelines.StoreKey)}

// withNamedSecrets returns a rule for the named Secrets.
func withNamedSecrets(verbs ...string) map[string]any {
	rule := maps.Clone(namedSecrets)
	rule["verbs"] = anys(verbs...)
	return rule
}

// rules are permissions on resources: API group → resource → verbs.
type rules map[string]map[string]map[string]bool

func (r rules) allow(kind schema.GroupKind, verbs ...string) {
	resource := "*"
	if kind.Kind != "*" {
		resource = pluralOf(kind)
	}
	r.allowResource(kind.Group, resource, verbs...)
}

// pluralOf returns the resource of a kind, by the naming that all kinds that checks read follow.
func pluralOf(kind schema.GroupKind) string {
	if strings.HasSuffix(kind.Kind, "ay") {
		return strings.ToLower(kind.Kind) + "s"
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind.WithVersion("v1"))
	return plural.Resource
}

func (r rules) allowResource(group, resource string, verbs ...string) {
	if r[group] == nil {
		r[group] = map[string]map[string]bool{}
	}
	if r[group][resource] == nil {
		r[group][resource] = map[string]bool{}
	}
	for _, v := range verbs {
		r[group][resource][v] = true
	}
}

// list returns the rules of a ClusterRole: one for all resources of a group with the same verbs.
func (r rules) list() []any {
	var out []any
	for _, group := range slices.Sorted(maps.Keys(r)) {
		byVerbs := map[string][]string{}
		for _, resource := range slices.Sorted(maps.Keys(r[group])) {
			verbs := strings.Join(slices.SortedFunc(maps.Keys(r[group][resource]), func(a, b string) int { return cmp.Compare(slices.Index(verbOrder, a), slices.Index(verbOrder, b)) }), ",")
			byVerbs[verbs] = append(byVerbs[verbs], resource)
		}
		for _, verbs := range slices.Sorted(maps.Keys(byVerbs)) {
			out = append(out, map[string]any{"apiGroups": anys(group), "resources": anys(byVerbs[verbs]...), "verbs": anys(strings.Split(verbs, ",")...)})
		}
	}
	return out
}

var verbOrder = []string{"get", "list", "create", "patch", "delete"}

func anys(list ...string) []any {
	var out []any
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func role(kind, namespace, name string, rules []any) map[string]any {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules}
}

// roles returns the least permissions to diagnose, and the additional ones to fix.
func roles() []map[string]any {
	read, write := rules{}, rules{}
	var paths []string
	logs := false
	for _, c := range In("", Every()) {
		for _, kind := range c.Reads {
			if kind != kube.SecretKind && !c.Manifests {
				read.allow(kind, "get", "list")
			}
		}
		paths = append(paths, c.Paths...)
		logs = logs || c.Logs
	}
	if logs {
		read.allowResource("", "pods/log", "get")
	}
	var writes []doctor.Write
	for _, c := range All() {
		writes = append(writes, c.Writes...)
	}
	for _, w := range writes {
		if w.Option == "" && w.Kind != kube.SecretKind {
			write.allow(w.Kind, verbs(w)...)
		}
	}
	write.allow(kube.PodKind, "create") // a dry run shows whether a webhook is in effect
	out := []map[string]any{role("ClusterRole", "", reader, append(read.list(), withNamedSecrets("get", "list"), map[string]any{"nonResourceURLs": anys(paths...), "verbs": anys("get")}))}
	for _, ns := range secretNamespaces {
		out = append(out, role("Role", ns, reader, []any{map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "verbs": anys("get", "list")}}))
	}
	out = append(out, role("ClusterRole", "", fixer, append(write.list(), withNamedSecrets("patch"))))
	for _, ns := range secretNamespaces {
		if slices.ContainsFunc(writes, func(w doctor.Write) bool { return w.Kind == kube.SecretKind && slices.Contains(w.In, ns) }) {
			out = append(out, role("Role", ns, fixer, []any{map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "verbs": anys("patch")}}))
		}
	}
	return append(out, recordRoles()...)
}

// tenantRole is what the diagnosis of one namespace needs: a Role there.
func tenantRole() map[string]any {
	read := rules{}
	for _, c := range In("team-a", All()) {
		for _, kind := range c.Reads {
			switch {
			case kind == kube.NamespaceKind:
				read.allow(kind, "get") // its own
			case !kube.ClusterScoped(kind):
				read.allow(kind, "get", "list")
			}
		}
	}
	return role("Role", "team-a", reader, read.list())
}

// recordRoles are what it takes to keep the records and the Lease.
func recordRoles() []map[string]any {
	return []map[string]any{state.Object().Object, role("Role", state.Namespace, state.WriterRole, []any{
		map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "verbs": anys("get", "list", "create", "patch", "delete")},
		map[string]any{"apiGroups": anys("coordination.k8s.io"), "resources": anys("leases"), "verbs": anys("get", "create", "update", "delete")},
	})}
}

// verbs returns what a write needs, and what undoing it needs.
func verbs(w doctor.Write) []string {
	if w.Create || w.Delete {
		return []string{"create", "patch", "delete"}
	}
	return []string{"patch"}
}

// areaRoles returns the least permissions to fix and undo what the checks of each area find, in addition to those to diagnose: in the
// namespaces and, where a fix creates nothing, for the objects that the fixes name.
func areaRoles() []map[string]any {
	var out []map[string]any
	for _, area := range fixableAreas() {
		everywhere, inNamespace := rules{}, map[string][]any{}
		var named []any
		for _, c := range All() {
			if c.Area() != area {
				continue
			}
			for _, w := range c.Writes {
				switch {
				case w.Option != "":
				case w.Kind == kube.SecretKind && slices.Contains(w.In, doctor.Profiles):
					named = append(named, withNamedSecrets("patch"))
				case len(w.In) == 0 || slices.Contains(w.In, doctor.Profiles):
					everywhere.allow(w.Kind, verbs(w)...)
				default:
					for _, ns := range w.In {
						inNamespace[ns] = append(inNamespace[ns], ruleOf(w))
					}
				}
				if w.Kind == kube.MutatingWebhookConfigurationKind {
					everywhere.allow(kube.PodKind, "create")
				}
			}
		}
		name := fixer + "-" + area
		if len(everywhere)+len(named) > 0 {
			out = append(out, role("ClusterRole", "", name, append(everywhere.list(), named...)))
		}
		for _, ns := range slices.Sorted(maps.Keys(inNamespace)) {
			out = append(out, role("Role", ns, name, distinct(inNamespace[ns])))
		}
	}
	return out
}

func ruleOf(w doctor.Write) map[string]any {
	rule := map[string]any{"apiGroups": anys(w.Kind.Group), "resources": anys(pluralOf(w.Kind)), "verbs": anys(verbs(w)...)}
	if len(w.Names) > 0 && !w.Create && !w.Delete {
		rule["resourceNames"] = anys(w.Names...)
	}
	return rule
}

func distinct(rules []any) []any {
	var out []any
	for _, r := range rules {
		if !slices.ContainsFunc(out, func(o any) bool { return reflect.DeepEqual(o, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// fixableAreas are the areas whose checks have fixes.
func fixableAreas() []string {
	var areas []string
	for _, c := range All() {
		if len(c.Writes) > 0 && !slices.Contains(areas, c.Area()) {
			areas = append(areas, c.Area())
		}
	}
	return areas
}

const (
	rbacFile  = "../../../docs/rbac.yaml"
	areasFile = "../../../docs/rbac-areas.yaml"
	teamFile  = "../../../docs/rbac-team.yaml"
)

func TestRolesAreCurrent(t *testing.T) {
	for name, want := range map[string]string{
		rbacFile:                documents(t, roles()),
		areasFile:               documents(t, areaRoles()),
		teamFile:                documents(t, []map[string]any{tenantRole()}),
		"../../../docs/rbac.md": rbacPage(),
	} {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is out of date (%v); make golden rewrites it", name, err)
		}
	}
}

func documents(t *testing.T, objects []map[string]any) string {
	var all []string
	for _, o := range objects {
		content, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(content))
	}
	return strings.Join(all, "---\n")
}

func rbacPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Permissions for doctor

[rbac.yaml](rbac.yaml) grants the least permissions that `+"`kubectl kubeflow doctor`"+` needs. It is generated from what the checks read and the fixes change.
A test on a real API server diagnoses, fixes and undoes with only these permissions.

- %[1]s: to diagnose. A ClusterRole without Secrets, apart from the object store's key (mlpipeline-minio-artifact), and a Role for Secrets in each namespace that holds authentication components.
- %[2]s: to fix and undo everything, in addition to %[1]s. It amounts to cluster-admin: whoever may change Deployments and webhooks in any namespace
  can run pods with any service account there. Its Role in namespace %[4]s is for the Lease that keeps two programs from writing at the same time and for
  the records of fixes. Whoever holds that Role is trusted with the records that administrators' commands act on.
- %[2]s-AREA, in [rbac-areas.yaml](rbac-areas.yaml): to fix and undo what the checks of one area find, in addition to %[1]s and to the Role in namespace %[4]s: a
  ClusterRole, Roles in the namespaces of the objects, or both. Areas: %[5]s. Of these, notebooks, storage and training
  give no way to other permissions than those of namespace kubeflow and of Profiles; the others change webhooks, workloads, gateways, Secrets or NetworkPolicies that everyone relies on.

Leave out the Roles of namespaces that you do not have. To grant the permissions to a user:

`+"```"+`
kubectl apply -f rbac.yaml
kubectl create clusterrolebinding doctor --clusterrole %[1]s --user jane@example.com
for ns in %[3]s; do
  kubectl create rolebinding doctor -n $ns --role %[1]s --user jane@example.com
done
# to fix as well: the same with %[2]s, and
kubectl create rolebinding doctor-fix -n %[4]s --role %[2]s --user jane@example.com
`+"```"+`

To fix one area alone, for example pipelines (doctor pipelines --fix):

`+"```"+`
kubectl apply -f rbac-areas.yaml
kubectl get roles,clusterroles -A -o name | grep %[2]s-pipelines
kubectl create rolebinding doctor-fix-pipelines -n kubeflow --role %[2]s-pipelines --user jane@example.com
kubectl create rolebinding doctor-fix -n %[4]s --role %[2]s --user jane@example.com
`+"```"+`

For a user of one namespace (doctor -n team-a), [rbac-team.yaml](rbac-team.yaml) has a Role with the least permissions. Kubeflow's kubeflow-edit and kubeflow-view,
which owners and contributors of a Profile have, include it.

With fewer permissions you still get a report: a check that is missing a permission is "unknown" and names that permission.
Replacing the MPI operator (--mpi=v2beta1) installs an operator with its own roles, so it needs cluster-admin.

## What each check reads

| check | reads |
|---|---|
`, reader, fixer, strings.Join(secretNamespaces, " "), state.Namespace, strings.Join(fixableAreas(), ", "))
	for _, c := range All() {
		var what []string
		for _, kind := range c.Reads {
			what = append(what, kind.String())
		}
		if c.Logs {
			what = append(what, "logs of crashing pods")
		}
		what = append(what, c.Paths...)
		fmt.Fprintf(&b, "| [%s](checks/%s.md) | %s |\n", c.ID, c.Slug(), strings.Join(what, ", "))
	}
	return b.String()
}

func TestRolesAreSufficient(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	client := connect(t, ctx)
	content, err := os.ReadFile(rbacFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, ns := range secretNamespaces {
		if _, err := client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: ns}); err != nil {
			all = append(all, objects(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+ns+"}}")...)
		}
	}
	roles := objects(t, string(content))
	all = append(all, roles...)
	all = append(all, binding("Role", state.Namespace, state.WriterRole, "fixing-user"))
	for user, names := range map[string][]string{"diagnosing-user": {reader}, "fixing-user": {reader, fixer}} {
		for _, name := range names {
			all = append(all, binding("ClusterRole", "", name, user))
			for _, role := range roles {
				if role.GetKind() == "Role" && role.GetName() == name {
					all = append(all, binding("Role", role.GetNamespace(), name, user))
				}
			}
		}
	}
	applyAll(t, ctx, client, all)

	diagnosingClient := clientOf(t, "diagnosing-user")
	expectFindings(t, ctx, diagnosingClient, problems...)
	for _, c := range doctor.Diagnose(ctx, diagnosingClient.View(), In("", All()), options()).Checks {
		if c.Status == doctor.Unknown {
			t.Errorf("%s could not run: %s", c.ID, c.Reason)
		}
	}
	if _, err := fixes.Apply(ctx, diagnosingClient, All(), fixes.Options{Options: options(), Wait: time.Minute, Now: time.Now}); err == nil {
		t.Error("a user with only read permissions applied fixes")
	}
	expectFindings(t, ctx, client, problems...)

	fixingClient := clientOf(t, "fixing-user")
	if n := outcomes(fixWith(t, ctx, fixingClient, doctor.RestartsPods)); n[doctor.Failed]+n[doctor.Remains]+n[doctor.Worse] > 0 || n[doctor.Fixed] == 0 {
		t.Errorf("the outcomes are %v, want all fixed", n)
	}
	expectFindings(t, ctx, client)
	if u := undoLast(t, ctx, fixingClient); !u.Whole() {
		t.Errorf("the undo is incomplete: %+v", u.Steps)
	}
	expectFindings(t, ctx, client, problems...)
}

// TestTheRoleOfATeamIsSufficient diagnoses one namespace with the permissions of that Role and no others.
func TestTheRoleOfATeamIsSufficient(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	applyAll(t, ctx, client, append(objects(t, "{apiVersion: v1, kind: Namespace, metadata: {name: team-a, labels: {app.kubernetes.io/part-of: kubeflow-profile}}}"),
		append(objects(t, documents(t, []map[string]any{tenantRole()})), binding("Role", "team-a", reader, "team-user"),
			objects(t, "{apiVersion: batch/v1, kind: Job, metadata: {name: broken, namespace: team-a}, spec: {template: {spec: {restartPolicy: Never, serviceAccountName: missing, containers: [{name: main, image: 'busybox:1'}]}}}}")[0])...))
	user := clientOf(t, "team-user")
	o := options()
	o.Namespace = "team-a"
	r := doctor.Diagnose(ctx, user.View(), In("team-a", All()), o)
	for _, c := range r.Checks {
		if c.Status == doctor.Unknown {
			t.Errorf("%s could not run: %s", c.ID, c.Reason)
		}
	}
	o.Namespace = "kubeflow"
	if c := doctor.Diagnose(ctx, user.View(), In("kubeflow", All()), o).Check("team/workloads"); c.Status != doctor.Unknown {
		t.Errorf("with a Role in team-a, kubeflow is %s", c.Status)
	}
}

// TestTheRoleOfAnAreaFixesThatAreaAlone fixes and undoes with the roles of one area, and tries another with them.
func TestTheRoleOfAnAreaFixesThatAreaAlone(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	client := connect(t, ctx)
	var all []*unstructured.Unstructured
	for _, ns := range slices.Concat(secretNamespaces, workloads.Namespaces) {
		if _, err := client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: ns}); err != nil {
			all = append(all, objects(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+ns+"}}")...)
		}
	}
	all = append(all, objects(t, documents(t, roles()))...)
	all = append(all, objects(t, documents(t, areaRoles()))...)
	for area, other := range map[string]string{"pipelines": "platform", "training": "pipelines"} {
		user := area + "-fixer"
		all = append(all, binding("ClusterRole", "", reader, user), binding("Role", state.Namespace, state.WriterRole, user))
		for _, ns := range secretNamespaces {
			all = append(all, binding("Role", ns, reader, user))
		}
		for _, r := range areaRoles() {
			if o := (&unstructured.Unstructured{Object: r}); o.GetName() == fixer+"-"+area {
				all = append(all, binding(o.GetKind(), o.GetNamespace(), o.GetName(), user))
			}
		}
		applyAll(t, ctx, client, all)
		all = nil
		fix := func(area string) map[doctor.Outcome]int {
			selected, err := Find(area)
			if err != nil {
				t.Fatal(err)
			}
			r, err := fixes.Apply(ctx, clientOf(t, user), selected, fixes.Options{Options: options(), Allow: []doctor.Impact{doctor.RestartsPods}, Wait: time.Minute, Now: time.Now})
			if err != nil {
				t.Fatalf("%s: %v", user, err)
			}
			return outcomes(r)
		}
		if n := fix(other); n[doctor.Failed] == 0 || n[doctor.Fixed] > 0 {
			t.Errorf("%s fixes %s: %v", user, other, n)
		}
		if n := fix(area); n[doctor.Fixed] == 0 || n[doctor.Failed]+n[doctor.Remains]+n[doctor.Worse] > 0 {
			t.Errorf("%s does not fix %s: %v", user, area, n)
		}
		if u := undoLast(t, ctx, clientOf(t, user)); !u.Whole() {
			t.Errorf("%s does not undo %s: %+v", user, area, u.Steps)
		}
	}
	expectFindings(t, ctx, client, problems...)
}

func binding(kind, namespace, name, user string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind + "Binding",
		"metadata": map[string]any{"name": name + "-" + user},
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
		"subjects": []any{map[string]any{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}},
	}}
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	return o
}
