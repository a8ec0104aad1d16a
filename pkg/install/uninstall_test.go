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

// takeOff uninstalls what put installed under a name.
func takeOff(t *testing.T, client *cluster.Client, name string, o uninstall.Options) (*uninstall.Result, error) {
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

// apply writes YAML as somebody else.
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

func TestAFinalizerThatNobodyWorksOffIsNamedAndLeftAlone(t *testing.T) {
	client := live(t)
	mustPut(t, client, "mill", mill)
	_, err := takeOff(t, client, "mill", uninstall.Options{Patience: time.Second})
	var unremoved *uninstall.UnfinishedError
	if !errors.As(err, &unremoved) || !errors.Is(err, context.DeadlineExceeded) || !unremoved.Stalled {
		t.Fatalf("want an uninstall that stalls, got: %v", err)
	}
	if !strings.Contains(err.Error(), "Wheel/mill/big") || !strings.Contains(err.Error(), "mill.example.org/brake") {
		t.Errorf("want the object and its finalizer named, got: %v", err)
	}
	if want := `kubectl patch -n mill wheel.mill.example.org big --type=merge -p '{"metadata":{"finalizers":null}}'`; !slices.Contains(unremoved.Next, want) {
		t.Errorf("want the command %s, got %q", want, unremoved.Next)
	}
	big := get(t, client, "mill.example.org/v1", "Wheel", "mill", "big")
	if !slices.Equal(big.GetFinalizers(), []string{"mill.example.org/brake"}) {
		t.Errorf("the finalizers are %v: who strips them loses what they stand for", big.GetFinalizers())
	}
	if !isThere(t, client, "v1", "ConfigMap", "mill", "grain") {
		t.Error("what custom resources may need to go went before them")
	}
	loosen := cluster.Edit(big, func(o *unstructured.Unstructured) { o.SetFinalizers(nil) })
	if _, err := client.Do(t.Context(), loosen, cluster.Options{Manager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	if result, err := takeOff(t, client, "mill", uninstall.Options{}); err != nil || result.Record {
		t.Fatalf("once it is mended the same command finishes it, got %+v, %v", result, err)
	}
	if isThere(t, client, "v1", "Namespace", "", "mill") {
		t.Error("the namespace is still there")
	}
}

const deadAPI = `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.dead.example.org}
spec: {group: dead.example.org, version: v1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: {name: nobody, namespace: default}}
`

func TestANamespaceThatADeadAPIHoldsUpIsExplained(t *testing.T) {
	client := live(t)
	mustPut(t, client, "cellar", `{apiVersion: v1, kind: Namespace, metadata: {name: cellar}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: barrel, namespace: cellar}, data: {a: b}}
`)
	applyYAML(t, client, "somebody", deadAPI)
	dead := get(t, client, "apiregistration.k8s.io/v1", "APIService", "", "v1.dead.example.org")
	bury := func() {
		_, err := client.Do(context.WithoutCancel(t.Context()), cluster.Change{Verb: cluster.Delete, Before: dead}, cluster.Options{Manager: "somebody"})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	defer bury()
	awaitDead(t, client)
	_, err := takeOff(t, client, "cellar", uninstall.Options{Patience: 3 * time.Second})
	var unremoved *uninstall.UnfinishedError
	if !errors.As(err, &unremoved) {
		t.Fatalf("want an uninstall that stalls, got: %v", err)
	}
	if !strings.Contains(err.Error(), "Namespace/cellar: Discovery failed") {
		t.Errorf("want the server's own words on the namespace, got: %v", err)
	}
	if want := "kubectl delete apiservice v1.dead.example.org"; !slices.Contains(unremoved.Next, want) {
		t.Errorf("want the command %s, got %q", want, unremoved.Next)
	}
	bury()
	for deadline := time.Now().Add(2 * time.Minute); isThere(t, client, "v1", "Namespace", "", "cellar") && time.Now().Before(deadline); {
		time.Sleep(time.Second)
	}
	if all, err := inventory.List(t.Context(), client.View()); err != nil || inventory.Find(all, "cellar") != nil {
		t.Errorf("the record went with its namespace, and is still there: %v", err)
	}
}

// awaitDead waits until the server knows that nobody answers for an API.
func awaitDead(t *testing.T, client *cluster.Client) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		survey, err := uninstall.ReadCluster(t.Context(), client)
		if err == nil && len(survey.UnavailableAPIs()) > 0 {
			return
		}
	}
	t.Fatal("the server does not notice that nobody answers for the API")
}

func TestAnUninstallTakesOffNobodyElsesObjects(t *testing.T) {
	client := live(t)
	mustPut(t, client, "barn", `{apiVersion: v1, kind: Namespace, metadata: {name: barn}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: changed, namespace: barn}, data: {a: b, c: d}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: remade, namespace: barn}, data: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: shared, namespace: barn}, data: {a: b}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: bare, namespace: barn}}
`)
	mustPut(t, client, "loft", `{apiVersion: v1, kind: ConfigMap, metadata: {name: shared, namespace: barn}, data: {a: b}}
`)
	applyYAML(t, client, "somebody", `{apiVersion: v1, kind: ConfigMap, metadata: {name: changed, namespace: barn}, data: {a: c}}`)
	remade := get(t, client, "v1", "ConfigMap", "barn", "remade")
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: remade}, cluster.Options{Manager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	applyYAML(t, client, "somebody", `{apiVersion: v1, kind: ConfigMap, metadata: {name: remade, namespace: barn}, data: {a: b}}`)

	result, err := takeOff(t, client, "barn", uninstall.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"changed": false, "remade": true, "shared": true} {
		if got := isThere(t, client, "v1", "ConfigMap", "barn", name); got != want {
			t.Errorf("ConfigMap %s there: %v, want %v", name, got, want)
		}
	}
	if isThere(t, client, "v1", "ServiceAccount", "barn", "bare") {
		t.Error("an object of a name alone was taken for somebody else's")
	}
	if !isThere(t, client, "v1", "Namespace", "", "barn") || !result.Record {
		t.Errorf("a namespace that holds other people's objects went: %+v", result)
	}

	if _, err := takeOff(t, client, "loft", uninstall.Options{}); err != nil {
		t.Fatal(err)
	}
	if isThere(t, client, "v1", "ConfigMap", "barn", "shared") {
		t.Error("nobody shares it any more, and it is still there")
	}
	again := get(t, client, "v1", "ConfigMap", "barn", "remade")
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: again}, cluster.Options{Manager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	if result, err := takeOff(t, client, "barn", uninstall.Options{}); err != nil || result.Record || isThere(t, client, "v1", "Namespace", "", "barn") {
		t.Errorf("once nothing is in the way the rest goes: %+v, %v", result, err)
	}
}
