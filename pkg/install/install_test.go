//go:build unix

package install

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// TestMain is also the subprocess that the tests of killed installs kill: see killed_test.go.
func TestMain(m *testing.M) {
	if os.Getenv(installSourceVariable) != "" {
		os.Exit(installSubprocess())
	}
	if os.Getenv(uninstallSourceVariable) != "" {
		os.Exit(uninstallSubprocess())
	}
	flag.Parse()
	code := m.Run()
	if stopShared != nil {
		stopShared()
	}
	os.Exit(code)
}

var (
	startShared sync.Once
	stopShared  func()
	sharedFile  string
)

// live returns a client of a sandbox that the tests of this package share. Each works in namespaces of its own.
func live(t *testing.T) *cluster.Client {
	t.Helper()
	sandboxtest.Needed(t)
	startShared.Do(func() {
		sharedFile, stopShared = sandboxtest.Start("--kubernetes=1.35")
		if err := state.Ensure(t.Context(), sandboxtest.Connect(t, sharedFile)); err != nil { // whoever runs a plan with the Lease has it
			t.Fatal(err)
		}
	})
	return sandboxtest.Connect(t, sharedFile)
}

// installYAML installs YAML under a name and returns the result.
func installYAML(t *testing.T, client *cluster.Client, name, yaml string, o apply.Options) (*apply.Result, error) {
	t.Helper()
	client.Forget()
	p := planFor(t, client, plan.Request{Name: name, Components: []release.RenderedComponent{{Name: "app", Objects: kubetest.Objects(t, []byte(yaml))}}})
	if err := preflight.Run(t.Context(), client, p); err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Minute
	}
	return apply.Run(t.Context(), client, p, o)
}

func planFor(t *testing.T, client *cluster.Client, request plan.Request) *plan.Plan {
	t.Helper()
	view := client.View()
	all, err := inventory.List(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(t.Context(), request, inventory.Find(all, request.Name), view, client.Mapping)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustInstallYAML(t *testing.T, client *cluster.Client, name, yaml string) *apply.Result {
	t.Helper()
	result, err := installYAML(t, client, name, yaml, apply.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func get(t *testing.T, client *cluster.Client, apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := client.View().Get(t.Context(), cluster.Ref{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prices, namespace: shop}
data: {tea: "2"}
---
apiVersion: v1
kind: Secret
metadata: {name: till, namespace: shop}
stringData: {pin: "0000"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: clerk, namespace: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: parcels.shop.example.org}
spec:
  group: shop.example.org
  scope: Namespaced
  names: {kind: Parcel, plural: parcels, singular: parcel, listKind: ParcelList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: shop.example.org/v1
kind: Parcel
metadata: {name: first, namespace: shop}
spec: {weight: 3}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: shop}
webhooks:
- name: parcels.shop.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {caBundle: Cg==, service: {name: scales, namespace: shop}}
  namespaceSelector: {matchLabels: {guarded: "yes"}}
  rules: [{apiGroups: [shop.example.org], apiVersions: [v1], resources: [parcels], operations: [CREATE]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shop-all}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {shop: part}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shop-part, labels: {shop: part}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: counter, namespace: shop}
spec:
  selector: {matchLabels: {app: counter}}
  template:
    metadata: {labels: {app: counter}}
    spec: {containers: [{name: counter, image: example.org/counter}]}
`

func TestASecondInstallWritesNothing(t *testing.T) {
	client := live(t)
	if first := mustInstallYAML(t, client, "shop", shop); first.Changed != 10 {
		t.Errorf("the first install changed %d objects, want 10", first.Changed)
	}
	before := versions(t, client, "shop")
	second := mustInstallYAML(t, client, "shop", shop)
	if second.Changed != 0 || second.Applied > 1 {
		t.Errorf("the second install applied %d objects and changed %d", second.Applied, second.Changed)
	}
	for ref, version := range versions(t, client, "shop") {
		if before[ref] != version {
			t.Errorf("%s was written: resourceVersion %s, then %s", ref, before[ref], version)
		}
	}
}

// versions returns the resourceVersion of everything in an inventory that has no status of its own, and of the inventory itself.
func versions(t *testing.T, client *cluster.Client, name string) map[cluster.Ref]string {
	t.Helper()
	view := client.View()
	all, err := inventory.List(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	inv := inventory.Find(all, name)
	if inv == nil {
		t.Fatalf("there is no inventory of %s", name)
	}
	out := map[cluster.Ref]string{cluster.RefOf(inv.Live): inv.Live.GetResourceVersion()}
	for _, ref := range inv.Refs() {
		o, err := view.Get(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		out[ref] = o.GetResourceVersion()
	}
	return out
}

func TestAChangeByAnotherClientIsReverted(t *testing.T) {
	client := live(t)
	mustInstallYAML(t, client, "shop", shop)
	prices := get(t, client, "v1", "ConfigMap", "shop", "prices")
	change := cluster.Edit(prices, func(o *unstructured.Unstructured) { o.Object["data"] = map[string]any{"tea": "9"} })
	if _, err := client.Do(t.Context(), change, cluster.Options{Manager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	if result := mustInstallYAML(t, client, "shop", shop); result.Changed != 1 {
		t.Errorf("%d objects were changed, want only the edited one", result.Changed)
	}
	if tea := kube.Text(get(t, client, "v1", "ConfigMap", "shop", "prices").Object, "data", "tea"); tea != "2" {
		t.Errorf("tea costs %s, want 2", tea)
	}
}

func TestObjectsThatAreNoLongerWantedAreDeletedAndDataIsKept(t *testing.T) {
	client := live(t)
	const old = `
{apiVersion: v1, kind: Namespace, metadata: {name: attic}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: stays, namespace: attic}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: goes, namespace: attic}, data: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: recreated, namespace: attic}, data: {a: b}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: attic}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
`
	mustInstallYAML(t, client, "attic", old)
	recreated := get(t, client, "v1", "ConfigMap", "attic", "recreated")
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: recreated}, cluster.Options{Manager: "another-client"}); err != nil {
		t.Fatal(err)
	}
	recreated = &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "recreated", "namespace": "attic"}, "data": map[string]any{"c": "d"}}}
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Apply, After: recreated}, cluster.Options{Manager: "another-client"}); err != nil {
		t.Fatal(err)
	}
	result := mustInstallYAML(t, client, "attic", `{apiVersion: v1, kind: Namespace, metadata: {name: attic}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: stays, namespace: attic}}
`)
	if len(result.Pruned) != 1 || result.Pruned[0].Name != "goes" {
		t.Errorf("removed %v, want only ConfigMap/attic/goes: the other one was recreated by another client", result.Pruned)
	}
	if len(result.Kept) != 1 || result.Kept[0].Kind != "PersistentVolumeClaim" {
		t.Errorf("kept %v, want the PVC", result.Kept)
	}
	get(t, client, "v1", "PersistentVolumeClaim", "attic", "data")
	all, err := inventory.List(t.Context(), client.View())
	if err != nil {
		t.Fatal(err)
	}
	if refs := inventory.Find(all, "attic").Refs(); len(refs) != 3 {
		t.Errorf("the inventory lists %v, want the wanted objects and the kept PVC", refs)
	}
}

func TestAPermanentErrorStopsTheInstallAtOnceAndNamesTheField(t *testing.T) {
	client := live(t)
	_, err := installYAML(t, client, "broken", `
{apiVersion: v1, kind: Namespace, metadata: {name: broken}}
---
{apiVersion: v1, kind: Service, metadata: {name: portless, namespace: broken}, spec: {ports: [{port: 70000}]}}
`, apply.Options{})
	var failure *problem.Error
	if !errors.As(err, &failure) || !strings.Contains(failure.What, "Service/broken/portless") || !strings.Contains(failure.What, "spec.ports[0].port") {
		t.Errorf("want a problem that names the object and the field, got: %v", err)
	}
}

func TestAnImmutableFieldIsNamed(t *testing.T) {
	client := live(t)
	const job = `
{apiVersion: v1, kind: Namespace, metadata: {name: fixed}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: fixed, namespace: fixed}, spec: {replicas: 0, selector: {matchLabels: {app: OLD}}, template: {metadata: {labels: {app: OLD}}, spec: {containers: [{name: a, image: example.org/a}]}}}}
`
	mustInstallYAML(t, client, "fixed", strings.ReplaceAll(job, "OLD", "one"))
	_, err := installYAML(t, client, "fixed", strings.ReplaceAll(job, "OLD", "two"), apply.Options{})
	if err == nil || !strings.Contains(err.Error(), "Deployment/fixed/fixed cannot be changed in place: spec.selector") {
		t.Fatalf("want a problem that names spec.selector, got: %v", err)
	}
}

func TestPreflightReportsAllProblemsAtOnceAndWritesNothing(t *testing.T) {
	client := live(t)
	mustInstallYAML(t, client, "leaving", `{apiVersion: v1, kind: Namespace, metadata: {name: leaving, finalizers: []}}`)
	ns := get(t, client, "v1", "Namespace", "", "leaving")
	held := cluster.Edit(ns, func(o *unstructured.Unstructured) { o.SetFinalizers([]string{"example.org/held"}) })
	ns, err := client.Do(t.Context(), held, cluster.Options{Manager: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: ns}, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		ns, err := client.View().Get(ctx, cluster.RefOf(ns))
		if err == nil {
			_, err = client.Do(ctx, cluster.Edit(ns, func(o *unstructured.Unstructured) { o.SetFinalizers(nil) }), cluster.Options{Manager: "test"})
		}
		if err != nil {
			t.Error(err)
		}
	})
	_, err = installYAML(t, client, "refused", `
{apiVersion: v1, kind: Namespace, metadata: {name: refused}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: leaving}}
---
{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: a, namespace: refused}}
---
{apiVersion: nowhere.example.org/v1, kind: Ghost, metadata: {name: a, namespace: refused}}
`, apply.Options{})
	var refused *preflight.BlockedError
	if !errors.As(err, &refused) || len(refused.Problems) != 2 {
		t.Fatalf("want both problems, got: %v", err)
	}
	for _, want := range []string{"policy/v1beta1 (1 PodDisruptionBudget)", "nowhere.example.org/v1 (1 Ghost)", "namespace leaving is being deleted"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in:\n%v", want, err)
		}
	}
	list, err := client.View().List(t.Context(), schema.GroupKind{Kind: "Namespace"}, cluster.Scope{Fields: "metadata.name=refused"})
	if err != nil || len(list) != 0 {
		t.Errorf("something was written: %v, %v", list, err)
	}
}

func TestATimeoutReportsWhatIsPendingAndWhy(t *testing.T) {
	client := live(t)
	_, err := installYAML(t, client, "stuck", `
{apiVersion: v1, kind: Namespace, metadata: {name: stuck}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: homeless, namespace: stuck}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {nodeSelector: {moon: "yes"}, containers: [{name: a, image: example.org/a}]}}}}
`, apply.Options{Timeout: 8 * time.Second})
	var unfinished *apply.UnfinishedError
	if !errors.As(err, &unfinished) || !errors.Is(err, context.DeadlineExceeded) || len(unfinished.Pending) != 1 {
		t.Fatalf("want an unfinished install with one object pending, got: %v", err)
	}
	if p := unfinished.Pending[0]; p.Ref.Name != "homeless" || !strings.Contains(p.Why, "cannot be scheduled") {
		t.Errorf("want the pod's own reason, got: %+v", p)
	}
}

func TestAnInterruptedInstallResumes(t *testing.T) {
	client := live(t)
	yaml := strings.ReplaceAll(shop, "shop", "mall")
	p := planFor(t, client, plan.Request{Name: "mall", Components: []release.RenderedComponent{{Name: "app", Objects: kubetest.Objects(t, []byte(yaml))}}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := apply.Run(ctx, client, p, apply.Options{Observe: func(e events.Event) {
		if _, ok := e.(events.ObjectApplied); ok {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("want the interruption, got: %v", err)
	}
	mustInstallYAML(t, client, "mall", yaml)
	if result := mustInstallYAML(t, client, "mall", yaml); result.Changed != 0 {
		t.Errorf("the third run changed %d objects, want none", result.Changed)
	}
}
