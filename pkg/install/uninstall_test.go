//go:build unix

package install

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
)

// uninstallByName uninstalls what installYAML installed under a name.
func uninstallByName(t *testing.T, client *cluster.Client, name string, o uninstall.Options) (*uninstall.Result, error) {
	t.Helper()
	all, err := inventory.List(t.Context(), client.View())
	if err != nil {
		t.Fatal(err)
	}
	request := uninstall.Request{Inventory: inventory.Find(all, name)}
	if request.Inventory == nil {
		t.Fatalf("%s is not installed", name)
	}
	for _, other := range all {
		if other.Name != name {
			request.Others = append(request.Others, other)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Minute
	}
	return uninstall.Run(t.Context(), client, request, o)
}

// applyYAML applies YAML as another client.
func applyYAML(t *testing.T, client *cluster.Client, manager, yaml string) {
	t.Helper()
	client.Forget()
	for _, o := range kubetest.Objects(t, []byte(yaml)) {
		if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: manager, Force: true}); err != nil {
			t.Fatal(err)
		}
	}
}

func isThere(t *testing.T, client *cluster.Client, apiVersion, kind, namespace, name string) bool {
	t.Helper()
	_, err := client.View().Get(t.Context(), cluster.Ref{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name})
	if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		t.Fatal(err)
	}
	return err == nil
}

const mill = `
{apiVersion: v1, kind: Namespace, metadata: {name: mill}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: wheels.mill.example.org}
spec:
  group: mill.example.org
  scope: Namespaced
  names: {kind: Wheel, plural: wheels, singular: wheel, listKind: WheelList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
{apiVersion: mill.example.org/v1, kind: Wheel, metadata: {name: big, namespace: mill, finalizers: [mill.example.org/brake]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: grain, namespace: mill}, data: {a: b}}
`

func TestAFinalizerThatIsNeverRemovedIsReportedAndKept(t *testing.T) {
	client := live(t)
	mustInstallYAML(t, client, "mill", mill)
	_, err := uninstallByName(t, client, "mill", uninstall.Options{Patience: time.Second})
	var unfinished *uninstall.UnfinishedError
	if !errors.As(err, &unfinished) || !errors.Is(err, context.DeadlineExceeded) || !unfinished.Stalled {
		t.Fatalf("want an uninstall that stalls, got: %v", err)
	}
	if !strings.Contains(err.Error(), "Wheel/mill/big") || !strings.Contains(err.Error(), "mill.example.org/brake") {
		t.Errorf("want the object and its finalizer named, got: %v", err)
	}
	if want := `kubectl patch -n mill wheel.mill.example.org big --type=merge -p '{"metadata":{"finalizers":null}}'`; !slices.Contains(unfinished.Next, want) {
		t.Errorf("want the command %s, got %q", want, unfinished.Next)
	}
	big := get(t, client, "mill.example.org/v1", "Wheel", "mill", "big")
	if !slices.Equal(big.GetFinalizers(), []string{"mill.example.org/brake"}) {
		t.Errorf("the finalizers are %v: removing them skips the cleanup that they stand for", big.GetFinalizers())
	}
	if !isThere(t, client, "v1", "ConfigMap", "mill", "grain") {
		t.Error("what custom resources may need for their deletion was deleted before them")
	}
	loosen := cluster.Edit(big, func(o *unstructured.Unstructured) { o.SetFinalizers(nil) })
	if _, err := client.Do(t.Context(), loosen, cluster.Options{Manager: "another-client"}); err != nil {
		t.Fatal(err)
	}
	if result, err := uninstallByName(t, client, "mill", uninstall.Options{}); err != nil || result.Record {
		t.Fatalf("want the same command to finish once the finalizer is removed, got %+v, %v", result, err)
	}
	if isThere(t, client, "v1", "Namespace", "", "mill") {
		t.Error("the namespace is still there")
	}
}

const deadAPI = `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.dead.example.org}
spec: {group: dead.example.org, version: v1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: {name: missing, namespace: default}}
`

func TestANamespaceThatAnUnavailableAPIBlocksIsExplained(t *testing.T) {
	client := live(t)
	mustInstallYAML(t, client, "cellar", `{apiVersion: v1, kind: Namespace, metadata: {name: cellar}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: barrel, namespace: cellar}, data: {a: b}}
`)
	applyYAML(t, client, "another-client", deadAPI)
	dead := get(t, client, "apiregistration.k8s.io/v1", "APIService", "", "v1.dead.example.org")
	deleteAPI := func() {
		_, err := client.Do(context.WithoutCancel(t.Context()), cluster.Change{Verb: cluster.Delete, Before: dead}, cluster.Options{Manager: "another-client"})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	defer deleteAPI()
	awaitUnavailableAPI(t, client)
	_, err := uninstallByName(t, client, "cellar", uninstall.Options{Patience: 3 * time.Second})
	var unfinished *uninstall.UnfinishedError
	if !errors.As(err, &unfinished) {
		t.Fatalf("want an uninstall that stalls, got: %v", err)
	}
	if !strings.Contains(err.Error(), "Namespace/cellar: Discovery failed") {
		t.Errorf("want the server's own words on the namespace, got: %v", err)
	}
	if want := "kubectl delete apiservice v1.dead.example.org"; !slices.Contains(unfinished.Next, want) {
		t.Errorf("want the command %s, got %q", want, unfinished.Next)
	}
	deleteAPI()
	for deadline := time.Now().Add(2 * time.Minute); isThere(t, client, "v1", "Namespace", "", "cellar") && time.Now().Before(deadline); {
		time.Sleep(time.Second)
	}
	if _, err := uninstallByName(t, client, "cellar", uninstall.Options{}); err != nil {
		t.Fatal(err)
	}
	if all, err := inventory.List(t.Context(), client.View()); err != nil || inventory.Find(all, "cellar") != nil {
		t.Errorf("want the same command to delete the inventory, but it still exists: %v", err)
	}
}

// awaitUnavailableAPI waits until the server has noticed that an aggregated API is unavailable.
func awaitUnavailableAPI(t *testing.T, client *cluster.Client) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		survey, err := uninstall.ReadCluster(t.Context(), client)
		if err == nil && len(survey.UnavailableAPIs()) > 0 {
			return
		}
	}
	t.Fatal("the server did not notice that the API is unavailable")
}

func TestAnUninstallKeepsObjectsOfOtherClients(t *testing.T) {
	client := live(t)
	mustInstallYAML(t, client, "barn", `{apiVersion: v1, kind: Namespace, metadata: {name: barn}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: changed, namespace: barn}, data: {a: b, c: d}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: recreated, namespace: barn}, data: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: shared, namespace: barn}, data: {a: b}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: bare, namespace: barn}}
`)
	mustInstallYAML(t, client, "loft", `{apiVersion: v1, kind: ConfigMap, metadata: {name: shared, namespace: barn}, data: {a: b}}
`)
	applyYAML(t, client, "another-client", `{apiVersion: v1, kind: ConfigMap, metadata: {name: changed, namespace: barn}, data: {a: c}}`)
	recreated := get(t, client, "v1", "ConfigMap", "barn", "recreated")
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: recreated}, cluster.Options{Manager: "another-client"}); err != nil {
		t.Fatal(err)
	}
	applyYAML(t, client, "another-client", `{apiVersion: v1, kind: ConfigMap, metadata: {name: recreated, namespace: barn}, data: {a: b}}`)

	result, err := uninstallByName(t, client, "barn", uninstall.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"changed": false, "recreated": true, "shared": true} {
		if got := isThere(t, client, "v1", "ConfigMap", "barn", name); got != want {
			t.Errorf("ConfigMap %s there: %v, want %v", name, got, want)
		}
	}
	if isThere(t, client, "v1", "ServiceAccount", "barn", "bare") {
		t.Error("an object that has only a name was mistaken for another client's")
	}
	if !isThere(t, client, "v1", "Namespace", "", "barn") || !result.Record {
		t.Errorf("a namespace that holds other clients' objects was deleted: %+v", result)
	}

	if _, err := uninstallByName(t, client, "loft", uninstall.Options{}); err != nil {
		t.Fatal(err)
	}
	if isThere(t, client, "v1", "ConfigMap", "barn", "shared") {
		t.Error("the last installation that listed it was uninstalled, but it still exists")
	}
	again := get(t, client, "v1", "ConfigMap", "barn", "recreated")
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: again}, cluster.Options{Manager: "another-client"}); err != nil {
		t.Fatal(err)
	}
	if result, err := uninstallByName(t, client, "barn", uninstall.Options{}); err != nil || result.Record || isThere(t, client, "v1", "Namespace", "", "barn") {
		t.Errorf("want the rest deleted once nothing blocks it: %+v, %v", result, err)
	}
}
