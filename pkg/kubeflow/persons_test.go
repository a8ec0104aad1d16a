//go:build unix

package kubeflow_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// people are namespaces in which Kubeflow's ClusterRole kubeflow-edit is bound to a user: a contributor of a profile namespace, as any
// notebook in it, and an editor of namespace kubeflow.
const people = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kubeflow-edit}
rules:
- {apiGroups: [""], resources: [pods/attach, pods/exec, pods/portforward, pods/proxy, secrets, services/proxy], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate]}
- {apiGroups: [""], resources: [pods, configmaps, endpoints, events, persistentvolumeclaims, replicationcontrollers, secrets, serviceaccounts, services], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
- {apiGroups: [apps], resources: [daemonsets, deployments, replicasets, statefulsets], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
- {apiGroups: [batch], resources: [cronjobs, jobs], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
- {apiGroups: [networking.k8s.io], resources: [ingresses, networkpolicies], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
- {apiGroups: [kubeflow.org], resources: ["*"], verbs: [get, list, watch, create, delete, deletecollection, patch, update]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team, annotations: {owner: owner@example.org}, labels: {app.kubernetes.io/part-of: kubeflow-profile}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: contributor, namespace: team}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-edit}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: contributor}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: editor, namespace: kubeflow}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-edit}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: editor}]}
`

// foreign are objects that have nothing to do with Kubeflow.
const foreign = `
{apiVersion: v1, kind: Namespace, metadata: {name: payroll}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: ledger, namespace: payroll}, spec: {selector: {matchLabels: {app: ledger}}, template: {metadata: {labels: {app: ledger}}, spec: {containers: [{name: main, image: ledger}]}}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: wages, namespace: payroll}, stringData: {a: b}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: nameonly, namespace: payroll}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: auditors}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: auditors}]}
`

// claim is a record's text that lists all of them. The hashes are those of objects that own no field, which once counted as installed.
const claim = `[
{"apiVersion":"v1","kind":"Namespace","name":"payroll","applied":"a","fields":"none"},
{"apiVersion":"apps/v1","kind":"Deployment","namespace":"payroll","name":"ledger","applied":"a","fields":"none"},
{"apiVersion":"v1","kind":"Secret","namespace":"payroll","name":"wages","applied":"a","fields":"none"},
{"apiVersion":"v1","kind":"ServiceAccount","namespace":"payroll","name":"nameonly","applied":"a","fields":"none"},
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","name":"auditors","applied":"a","fields":"none"}]`

// planted returns the ConfigMap of a record.
func planted(namespace, object, instance, release, objects string) string {
	labels := map[string]any{"app.kubernetes.io/managed-by": "kubectl-kubeflow", "app.kubernetes.io/component": "inventory"}
	if instance != "" {
		labels["app.kubernetes.io/instance"] = instance
	}
	body, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": object, "namespace": namespace, "labels": labels},
		"data":     map[string]any{"release": release, "source": "[]", "objects": objects}})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// plant lets a person write records and Leases of every shape wherever they can, with the field manager of this program.
func plant(t *testing.T, person, namespace string) {
	t.Helper()
	const prefix = "kubectl-kubeflow-inventory-"
	many := "[" + strings.Repeat(`{"apiVersion":"v1","kind":"Secret","namespace":"payroll","name":"wages"},`, 9000) + `{"apiVersion":"v1","kind":"Secret","name":"x"}]`
	for _, record := range []string{
		planted(namespace, prefix+"evil-"+person, "evil-"+person, "26.03", claim),
		planted(namespace, prefix+"kubeflow", "kubeflow", "99.0", claim),
		planted(namespace, prefix+"broken", "broken", "26.03", "{["),
		planted(namespace, prefix+"unnamed", "", "26.03", claim),
		planted(namespace, prefix+"renamed", "another", "26.03", claim),
		planted(namespace, prefix+"types", "types", "26.03", `[{"apiVersion":1,"kind":[],"name":{}}]`),
		planted(namespace, prefix+"kinds", "kinds", "26.03", `[{"apiVersion":"a/b/c","kind":"$(id)","name":"../x"}]`),
		planted(namespace, prefix+"more", "more", "26.03", `[{"apiVersion":"v1","kind":"Secret","name":"x","owner":"me"}]`),
		planted(namespace, prefix+"many", "many", "26.03", many),
		`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"kubectl-kubeflow","namespace":"` + namespace + `","annotations":{"kubeflow.org/doing":"waiting"}},
			"spec":{"holderIdentity":"` + person + `@laptop//1/x","leaseDurationSeconds":86400,"renewTime":"2099-01-01T00:00:00.000000Z","acquireTime":"2026-01-01T00:00:00.000000Z"}}`,
	} {
		if out, err := as(person, record, "create", "--field-manager=kubectl-kubeflow", "-f", "-"); err != nil {
			t.Fatalf("%s cannot write in %s: %s", person, namespace, out)
		}
	}
	for _, record := range []string{
		strings.ReplaceAll(planted("kubectl-kubeflow", prefix+"evil", "evil", "26.03", claim), "\n", " "),
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"kubectl-kubeflow"}}`,
		`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a","namespace":"kubectl-kubeflow"}}`,
	} {
		if out, err := as(person, record, "create", "-f", "-"); err == nil || !strings.Contains(out, "forbidden") {
			t.Errorf("%s writes where the records are: %s (%v)", person, out, err)
		}
	}
}

// as runs kubectl with a person's permissions.
func as(person, stdin string, args ...string) (string, error) {
	cmd := exec.Command(sandboxtest.Kubectl("1.35"), append(args, "--as="+person)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// foreignState identifies the foreign objects.
func foreignState(t *testing.T) string {
	t.Helper()
	const columns = `-o=custom-columns=:kind,:metadata.name,:metadata.uid,:metadata.resourceVersion,:metadata.deletionTimestamp,:metadata.labels`
	return kubectl(t, "", "get", "secrets,serviceaccounts", "-n=payroll", "--no-headers", columns) + kubectl(t, "", "get", "deployment", "-n=payroll", "--no-headers", "-o=custom-columns=:metadata.uid,:metadata.deletionTimestamp") +
		kubectl(t, "", "get", "namespace/payroll", "clusterrolebinding/auditors", "--no-headers", columns)
}

func TestRecordsOfOthersDecideNothing(t *testing.T) {
	client := connect(t)
	apply(t, prepare(t, client, "", ""))
	kubectl(t, people, "apply", "-f", "-")
	kubectl(t, foreign, "apply", "-f", "-")
	before := foreignState(t)
	plant(t, "contributor", "team")
	plant(t, "editor", "kubeflow")
	defer clean(t)
	defer func() {
		if diff := cmp.Diff(before, foreignState(t)); diff != "" {
			t.Errorf("foreign objects have changed (-before +after):\n%s", diff)
		}
	}()

	overview, err := kubeflow.ReadStatus(t.Context(), client, kubeflow.StatusOptions{})
	if err != nil {
		t.Fatal("status:", err)
	}
	if overview.AtWork != nil || planters(overview.Others) || overview.Release.Name == "99.0" {
		t.Errorf("status believes that %+v works on it, that %v are installed, and that it is %s", overview.AtWork, overview.Others, overview.Release.Name)
	}
	wantSentence(t, overview.Warnings, "ConfigMap/kubeflow/kubectl-kubeflow-inventory-broken is ignored: inventories are in namespace kubectl-kubeflow. To delete it: kubectl delete configmap -n ")
	wantSentence(t, overview.Warnings, "more such ConfigMaps are ignored. To see them: kubectl get configmaps -A -l app.kubernetes.io/managed-by=kubectl-kubeflow")

	again := prepare(t, client, "", "")
	if again.Refused != nil || again.Writes() != 0 || len(again.Prune) > 0 || again.Downgrade() {
		t.Errorf("an install would write %d objects and remove %v (refused: %v)", again.Writes(), again.Prune, again.Refused)
	}
	began := time.Now()
	apply(t, again)
	expose, err := kubeflow.PrepareUnexpose(t.Context(), client)
	if err == nil {
		err = expose.Apply(t.Context(), kubeflow.UnexposeApplyOptions{})
	}
	if err != nil {
		t.Error("expose --remove:", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("Leases of others delayed an install and expose by %s", took)
	}
	mustUninstall(t, client, "kubeflow")
}

// planters reports whether an installation of these names is one that nobody but a planted record knows. Other tests install as well.
func planters(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return name != "dex" && name != "overtaken" })
}

// mustUninstall uninstalls with everything, and returns the plan.
func mustUninstall(t *testing.T, client *cluster.Client, name string) *kubeflow.UninstallPlan {
	t.Helper()
	plan, err := kubeflow.PrepareUninstall(t.Context(), client, kubeflow.UninstallOptions{Name: name})
	if err != nil {
		t.Fatal("uninstall:", err)
	}
	for _, ref := range plan.Refs() {
		if ref.Namespace == "payroll" || slices.Contains([]string{"payroll", "auditors"}, ref.Name) {
			t.Errorf("the plan deletes %s", ref)
		}
	}
	if _, err := plan.Apply(t.Context(), kubeflow.UninstallApplyOptions{DeleteDataOf: plan.Cluster(), Timeout: 3 * time.Minute}); err != nil {
		t.Fatal("uninstall:", err)
	}
	return plan
}

// clean deletes what persons planted in namespace kubeflow, and what was there for them.
func clean(t *testing.T) {
	t.Helper()
	kubectl(t, "", "delete", "namespace/team", "namespace/payroll", "clusterrolebinding/auditors", "--ignore-not-found")
	kubectl(t, "", "delete", "configmaps,leases", "-n=kubeflow", "--all", "--wait=false")
}

func wantSentence(t *testing.T, sentences []string, parts ...string) {
	t.Helper()
	for _, s := range sentences {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(s, part) }) {
			return
		}
	}
	t.Errorf("no sentence has %q:\n%s", parts, strings.Join(sentences, "\n"))
}

// A cluster on which only an older version has installed: its record is in namespace kubeflow, where the editor writes as well.
func TestRecordsOfOlderVersionsAreTakenOverOnce(t *testing.T) {
	client := connect(t)
	apply(t, prepare(t, client, "", ""))
	kubectl(t, people, "apply", "-f", "-")
	kubectl(t, foreign, "apply", "-f", "-")
	before := foreignState(t)
	defer clean(t)
	const record = "kubectl-kubeflow-inventory-kubeflow"
	old := strings.ReplaceAll(kubectl(t, "", "get", "configmap", "-n=kubectl-kubeflow", record, "-o=json"), `"namespace": "kubectl-kubeflow"`, `"namespace": "kubeflow"`)
	old = strings.ReplaceAll(strings.ReplaceAll(old, `"uid"`, `"generateName"`), `"resourceVersion"`, `"selfLink"`)
	old = regexp.MustCompile(`"owned": "[^"]*",?`).ReplaceAllString(old, "") // which older versions did not record
	kubectl(t, "", "delete", "namespace", "kubectl-kubeflow")
	// The editor adds foreign objects to the true record, and writes others.
	old = strings.Replace(old, `"objects": "[`, fmt.Sprintf(`"objects": "[%s,`, strings.ReplaceAll(strings.ReplaceAll(strings.Trim(claim, "[]"), "\n", ""), `"`, `\"`)), 1)
	if out, err := as("editor", old, "create", "--field-manager=kubectl-kubeflow", "-f", "-"); err != nil {
		t.Fatal(out)
	}
	for _, evil := range []string{planted("kubeflow", "kubectl-kubeflow-inventory-evil", "evil", "26.03", claim), planted("kubeflow", "kubectl-kubeflow-inventory-broken", "broken", "", "{")} {
		if out, err := as("editor", evil, "create", "--field-manager=kubectl-kubeflow", "-f", "-"); err != nil {
			t.Fatal(out)
		}
	}

	overview, err := kubeflow.ReadStatus(t.Context(), client, kubeflow.StatusOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if overview.Release.From != "inventory" || planters(overview.Others) {
		t.Errorf("status knows the release from %q, and %v", overview.Release.From, overview.Others)
	}
	wantSentence(t, overview.Warnings, "The installation kubeflow was recorded by an older version, in ConfigMap/kubeflow/"+record, "The next install or uninstall moves that record")
	wantSentence(t, overview.Warnings, "ConfigMap/kubeflow/kubectl-kubeflow-inventory-evil is ignored: this program installed none of the objects that it lists")
	wantSentence(t, overview.Warnings, "ConfigMap/kubeflow/kubectl-kubeflow-inventory-broken is ignored: it cannot be read")

	plan := prepare(t, client, "", "")
	if len(plan.Prune) > 0 || len(plan.Foreign) == 0 {
		t.Errorf("an install deletes %v, and keeps %v of what only the record claims", plan.Prune, plan.Foreign)
	}
	apply(t, plan)
	if now := kubectl(t, "", "get", "configmap", "-n=kubeflow", "-o=name"); strings.Contains(now, record) || !strings.Contains(now, "inventory-evil") {
		t.Errorf("the old record is still there, or one that is not believed is not:\n%s", now)
	}
	if again := prepare(t, client, "", ""); again.Writes() > 0 || !again.InventoryUpToDate() {
		t.Errorf("the second install writes %d objects", again.Writes())
	}
	if out, err := as("editor", planted("kubeflow", record, "kubeflow", "26.03", claim), "create", "--field-manager=kubectl-kubeflow", "-f", "-"); err != nil {
		t.Fatal(out)
	}
	removal := mustUninstall(t, client, "kubeflow")
	wantSentence(t, removal.Notices, "ConfigMap/kubeflow/"+record+" is ignored: inventories are in namespace kubectl-kubeflow")
	if diff := cmp.Diff(before, foreignState(t)); diff != "" {
		t.Errorf("foreign objects have changed (-before +after):\n%s", diff)
	}
}

// A spoiled record, which an administrator edited by hand, stops nothing but itself, and an install under its name starts anew.
func TestASpoiledRecordStopsNothingElse(t *testing.T) {
	client := connect(t)
	const one, two = `{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: default}, data: {a: b}}`, `{apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: default}, data: {a: b}}`
	apply(t, prepare(t, client, "first", one))
	apply(t, prepare(t, client, "second", two))
	for _, objects := range []string{`{[`, `[{"apiVersion":"v1","kind":"ConfigMap","name":"x","surprise":1}]`, `[{"apiVersion":"v1","kind":"ConfigMap","name":3}]`, `[] []`} {
		body, _ := json.Marshal(map[string]any{"data": map[string]any{"objects": objects}})
		kubectl(t, "", "patch", "configmap", "-n=kubectl-kubeflow", "kubectl-kubeflow-inventory-first", "--type=merge", "-p", string(body))
		overview, err := kubeflow.ReadStatus(t.Context(), client, kubeflow.StatusOptions{Name: "second"})
		if err != nil {
			t.Fatalf("%s: %v", objects, err)
		}
		wantSentence(t, overview.Warnings, "ConfigMap/kubectl-kubeflow/kubectl-kubeflow-inventory-first is ignored: it cannot be read: objects: ", "To delete it: kubectl delete configmap -n kubectl-kubeflow kubectl-kubeflow-inventory-first")
		apply(t, prepare(t, client, "second", two))
		apply(t, prepare(t, client, "first", one))
		if overview, err := kubeflow.ReadStatus(t.Context(), client, kubeflow.StatusOptions{Name: "first"}); err != nil || len(overview.Warnings) > 0 {
			t.Errorf("after another install under that name: %v, %v", overview.Warnings, err)
		}
	}
	mustUninstall(t, client, "first")
	mustUninstall(t, client, "second")
}

// Whoever registers with Kubeflow may choose the name of the records' namespace for their Profile, before anything is recorded.
func TestANamespaceOfThatNameIsNotBelieved(t *testing.T) {
	client := connect(t)
	const yaml = `{apiVersion: v1, kind: ConfigMap, metadata: {name: three, namespace: default}, data: {a: b}}`
	kubectl(t, "", "delete", "namespace", "kubectl-kubeflow", "--ignore-not-found")
	kubectl(t, `{apiVersion: v1, kind: Namespace, metadata: {name: kubectl-kubeflow, annotations: {owner: mallory@example.org}, labels: {app.kubernetes.io/part-of: kubeflow-profile, app.kubernetes.io/managed-by: kubectl-kubeflow}}}`, "create", "-f", "-")
	kubectl(t, planted("kubectl-kubeflow", "kubectl-kubeflow-inventory-kubeflow", "kubeflow", "26.03", claim), "create", "-f", "-")
	defer kubectl(t, "", "delete", "namespace", "kubectl-kubeflow")
	for name, write := range map[string]func() error{
		"install": func() error {
			_, err := kubeflow.PrepareInstall(t.Context(), client, kubeflow.InstallOptions{Source: kubeflow.Source{File: "-", Stdin: strings.NewReader(yaml), Name: "third", CacheDir: t.TempDir()}})
			return err
		},
		"uninstall": func() error {
			_, err := kubeflow.PrepareUninstall(t.Context(), client, kubeflow.UninstallOptions{})
			return err
		},
	} {
		var failure *problem.Error
		if err := write(); !errors.As(err, &failure) || failure.What != "the records in namespace kubectl-kubeflow cannot be trusted: it belongs to the Profile of mallory@example.org" ||
			!strings.Contains(failure.Next, "kubectl delete namespace kubectl-kubeflow") {
			t.Errorf("%s ends with %v", name, err)
		}
	}
}
