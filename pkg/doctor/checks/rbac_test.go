package checks

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/platform"
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
func roles(t *testing.T) []map[string]any {
	read, write := rules{}, rules{}
	var paths []string
	logs := false
	for _, c := range All() {
		for _, kind := range c.Reads {
			if kind != kube.SecretKind && c != platform.RemovedAPIs { // it reads only manifests
				read.allow(kind, "get", "list")
			}
		}
		paths = append(paths, c.Paths...)
		logs = logs || c.Logs
	}
	if logs {
		read.allowResource("", "pods/log", "get")
	}
	eachCase(t, func(t *testing.T, c *doctor.Check, _ string, a *txtar.Archive) {
		view, s := readNamed(t, a)
		if s.MPI != "" || s.Install != nil {
			return // replacing an operator requires its permissions to be granted; an install's patches are not fixes
		}
		for _, f := range runCheck(view, c, s).Findings {
			if f.Fix == nil {
				continue
			}
			if f.Fix.Probe != nil {
				write.allow(kube.PodKind, "create") // only a dry run
			}
			for _, change := range f.Fix.Changes {
				allowChange(write, change)
			}
		}
	})
	out := []map[string]any{role("ClusterRole", "", reader, append(read.list(), map[string]any{"nonResourceURLs": anys(paths...), "verbs": anys("get")}))}
	for _, ns := range secretNamespaces {
		out = append(out, role("Role", ns, reader, []any{map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "verbs": anys("get", "list")}}))
	}
	out = append(out, role("ClusterRole", "", fixer, write.list()))
	for _, ns := range secretNamespaces {
		list := []any{map[string]any{"apiGroups": anys(""), "resources": anys("secrets"), "verbs": anys("patch")}}
		if ns == workloads.Namespace { // the records of fixes are there
			list = []any{map[string]any{"apiGroups": anys(""), "resources": anys("configmaps", "secrets"), "verbs": anys("create", "patch", "delete")}}
		}
		out = append(out, role("Role", ns, fixer, list))
	}
	return append(out, state.Object().Object, role("Role", state.Namespace, state.WriterRole, []any{
		map[string]any{"apiGroups": anys("coordination.k8s.io"), "resources": anys("leases"), "verbs": anys("get", "create", "update", "delete")},
	}))
}

func readNamed(t *testing.T, a *txtar.Archive) (cluster.View, doctor.Settings) {
	view, s := read(t, a)
	s.Named = true
	return view, s
}

// allowChange adds what a change needs, and what undoing it needs.
func allowChange(r rules, change cluster.Change) {
	kind := change.Ref().GroupKind()
	switch {
	case kind == kube.SecretKind:
	case change.Verb == cluster.Delete:
		r.allow(kind, "create", "patch", "delete")
	case change.Verb == cluster.Apply && change.Before == nil:
		r.allow(kind, "create", "patch", "delete")
	default:
		r.allow(kind, "patch")
	}
}

const rbacFile = "../../../docs/rbac.yaml"

func TestRolesAreCurrent(t *testing.T) {
	var documents []string
	for _, r := range roles(t) {
		content, err := yaml.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(content))
	}
	for name, want := range map[string]string{
		rbacFile:                strings.Join(documents, "---\n"),
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

func rbacPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Permissions for doctor

[rbac.yaml](rbac.yaml) grants the least permissions that `+"`kubectl kubeflow doctor`"+` needs. It is generated from what the checks read and the fixes change.
A test on a real API server diagnoses, fixes and undoes with only these permissions.

- %[1]s: to diagnose. A ClusterRole without Secrets, and a Role for Secrets in each namespace that holds authentication components or records of fixes.
- %[2]s: to fix and undo, in addition to %[1]s. Its Role in namespace %[4]s is for the Lease that keeps two programs from writing at the same time. Whoever holds
  that Role is trusted with the records that administrators' commands act on.

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

With fewer permissions you still get a report: a check that is missing a permission is "unknown" and names that permission.
Replacing the MPI operator (--mpi=v2beta1) installs an operator with its own roles, so it needs cluster-admin.

## What each check reads

| check | reads |
|---|---|
`, reader, fixer, strings.Join(secretNamespaces, " "), state.Namespace)
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
	all = append(all, objects(t, string(content))...)
	all = append(all, binding("Role", state.Namespace, state.WriterRole, "fixing-user"))
	for user, names := range map[string][]string{"diagnosing-user": {reader}, "fixing-user": {reader, fixer}} {
		for _, name := range names {
			all = append(all, binding("ClusterRole", "", name, user))
			for _, ns := range secretNamespaces {
				all = append(all, binding("Role", ns, name, user))
			}
		}
	}
	applyAll(t, ctx, client, all)

	diagnosingClient := clientOf(t, "diagnosing-user")
	expectFindings(t, ctx, diagnosingClient, problems...)
	for _, c := range doctor.Diagnose(ctx, diagnosingClient.View(), All(), options()).Checks {
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
