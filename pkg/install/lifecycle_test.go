//go:build unix

package install

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// parts returns a request with components, given as alternating name and YAML.
func parts(t *testing.T, name string, components ...string) plan.Request {
	t.Helper()
	request := plan.Request{Name: name, Release: "26.03"}
	for i := 0; i < len(components); i += 2 {
		request.Components = append(request.Components, release.RenderedComponent{Name: components[i], Objects: kubetest.Objects(t, []byte(components[i+1]))})
	}
	return request
}

func install(t *testing.T, client *cluster.Client, request plan.Request) (*plan.Plan, *apply.Result, error) {
	t.Helper()
	client.Forget()
	plan := planFor(t, client, request)
	if err := preflight.Run(t.Context(), client, plan); err != nil {
		return plan, nil, err
	}
	result, err := apply.Run(t.Context(), client, plan, apply.Options{})
	return plan, result, err
}

func mustInstall(t *testing.T, client *cluster.Client, request plan.Request) *apply.Result {
	t.Helper()
	_, result, err := install(t, client, request)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// listedIn returns what an inventory lists, as component/name.
func listedIn(t *testing.T, client *cluster.Client, name string) []string {
	t.Helper()
	all, err := inventory.List(t.Context(), client.View())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range inventory.Find(all, name).Objects {
		out = append(out, e.Component+"/"+e.Name)
	}
	slices.Sort(out)
	return out
}

const (
	cellar = `
{apiVersion: v1, kind: Namespace, metadata: {name: NS}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: wine, namespace: NS}, data: {year: "2020"}}
`
	roof = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: tiles, namespace: NS}, data: {colour: red}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: gutter, namespace: NS}, data: {length: "9"}}
`
)

func in(namespace, yaml string) string { return strings.ReplaceAll(yaml, "NS", namespace) }

func TestAPartialInstallTouchesOnlyItsComponents(t *testing.T) {
	client := live(t)
	const ns = "house"
	mustInstall(t, client, parts(t, ns, "cellar", in(ns, cellar), "roof", in(ns, roof)))
	tiles := in(ns, `{apiVersion: v1, kind: ConfigMap, metadata: {name: tiles, namespace: NS}, data: {colour: black}}`)
	partial := parts(t, ns, "roof", tiles)
	partial.Partial, partial.Release = true, "1.10.2"
	result := mustInstall(t, client, partial)
	if result.Changed != 1 || len(result.Pruned) != 1 || result.Pruned[0].Name != "gutter" {
		t.Errorf("want the tiles changed and the gutter deleted, got: %+v", result)
	}
	if got, want := listedIn(t, client, ns), []string{"cellar/house", "cellar/wine", "roof/tiles"}; !slices.Equal(got, want) {
		t.Errorf("the inventory lists %v, want %v", got, want)
	}
	all, _ := inventory.List(t.Context(), client.View())
	if got := inventory.Find(all, ns).Release; got != "26.03" {
		t.Errorf("the inventory has release %q: a partial install must not change it", got)
	}
	before := versions(t, client, ns)
	whole := parts(t, ns, "cellar", in(ns, cellar), "roof", tiles)
	mustInstall(t, client, whole)
	for ref, version := range versions(t, client, ns) {
		if before[ref] != version {
			t.Errorf("%s was written by a full install of the same objects", ref)
		}
	}
}

func TestASkippedComponentIsDeletedAndCanBeInstalledAgain(t *testing.T) {
	client := live(t)
	const ns = "barn"
	whole := func() plan.Request { return parts(t, ns, "cellar", in(ns, cellar), "roof", in(ns, roof)) }
	mustInstall(t, client, whole())
	skipping := parts(t, ns, "cellar", in(ns, cellar))
	skipping.Skipped = []string{"roof"}
	if result := mustInstall(t, client, skipping); len(result.Pruned) != 2 || result.Changed != 0 {
		t.Errorf("want only the roof deleted, got %+v", result)
	}
	if result := mustInstall(t, client, whole()); result.Changed != 2 {
		t.Errorf("want the roof created again, got %+v", result)
	}
	partly := parts(t, ns, "cellar", in(ns, cellar))
	partly.Partial, partly.Skipped = true, []string{"roof"}
	if result := mustInstall(t, client, partly); len(result.Pruned) != 2 {
		t.Errorf("want a partial install to delete what is skipped too, got %+v", result)
	}
}

func TestAnInventoryWithoutComponentsIsRead(t *testing.T) {
	client := live(t)
	const ns = "ruin"
	mustInstall(t, client, parts(t, ns, "", in(ns, cellar+"---"+roof)))
	partial := parts(t, ns, "roof", in(ns, `{apiVersion: v1, kind: ConfigMap, metadata: {name: tiles, namespace: NS}, data: {colour: red}}`))
	partial.Partial = true
	if result := mustInstall(t, client, partial); len(result.Pruned) != 0 {
		t.Errorf("%v was pruned although its component is unknown", result.Pruned)
	}
	if got, want := listedIn(t, client, ns), []string{"/gutter", "/wine", "roof/ruin", "roof/tiles"}; !slices.Equal(got, want) {
		t.Errorf("the inventory lists %v, want %v", got, want)
	}
}

const fixed = `
{apiVersion: v1, kind: Namespace, metadata: {name: NS}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: door, namespace: NS}, spec: {replicas: 1, selector: {matchLabels: {app: LABEL}}, template: {metadata: {labels: {app: LABEL}}, spec: {containers: [{name: a, image: example.org/a}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: well, namespace: NS}, spec: {replicas: 1, serviceName: NAME, selector: {matchLabels: {app: well}}, template: {metadata: {labels: {app: well}}, spec: {containers: [{name: a, image: example.org/a, volumeMounts: [{name: water, mountPath: /water}]}]}}, volumeClaimTemplates: [{metadata: {name: water}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: paint, namespace: NS}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "example.org/paint:IMAGE"}]}}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: ROLE, namespace: NS}, rules: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: key, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ROLE}, subjects: [{kind: ServiceAccount, name: default, namespace: NS}]}
---
{apiVersion: v1, kind: Service, metadata: {name: bell, namespace: NS}, spec: {CLUSTERIP ports: [{port: 80}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: late, namespace: NS}, data: {a: "IMAGE"}}
`

func before(ns string) string {
	return strings.NewReplacer("NS", ns, "LABEL", "one", "NAME", "one", "IMAGE", "1", "ROLE", "one", "CLUSTERIP", "").Replace(fixed)
}

func after(ns string) string {
	return strings.NewReplacer("NS", ns, "LABEL", "two", "NAME", "two", "IMAGE", "2", "ROLE", "two", "CLUSTERIP", "clusterIP: None, ").Replace(fixed)
}

func TestObjectsWithImmutableChangesAreRecreatedOnlyWithRecreate(t *testing.T) {
	client := live(t)
	const ns = "castle"
	mustInstall(t, client, parts(t, ns, "castle", before(ns)))
	claim := get(t, client, "v1", "PersistentVolumeClaim", ns, "water-well-0").GetUID()
	uids := map[string]types.UID{}
	kinds := map[string]string{"door": "apps/v1 Deployment", "well": "apps/v1 StatefulSet", "paint": "batch/v1 Job", "key": "rbac.authorization.k8s.io/v1 RoleBinding", "bell": "v1 Service"}
	for name, kind := range kinds {
		version, kind, _ := strings.Cut(kind, " ")
		uids[name] = get(t, client, version, kind, ns, name).GetUID()
	}
	recorded := versions(t, client, ns)

	_, _, err := install(t, client, parts(t, ns, "castle", after(ns)))
	var refused *preflight.BlockedError
	if !errors.As(err, &refused) || len(refused.Problems) != 1 || !strings.Contains(refused.Problems[0].Next, "--recreate") {
		t.Fatalf("want one problem that names --recreate, got: %v", err)
	}
	for _, want := range []string{
		"Deployment/castle/door cannot be changed in place: spec.selector", "StatefulSet/castle/well cannot be changed in place",
		"its pods and PVCs stay", "Job/castle/paint", "Service/castle/bell",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in:\n%v", want, err)
		}
	}
	for ref, version := range versions(t, client, ns) {
		if ref.Kind == "ConfigMap" && recorded[ref] != version {
			t.Errorf("%s was written by an install that preflight blocked", ref)
		}
	}

	allowed := parts(t, ns, "castle", after(ns))
	allowed.Recreate = true
	mustInstall(t, client, allowed)
	for name, kind := range kinds {
		version, kind, _ := strings.Cut(kind, " ")
		if get(t, client, version, kind, ns, name).GetUID() == uids[name] {
			t.Errorf("%s %s was not recreated", kind, name)
		}
	}
	if now := get(t, client, "v1", "PersistentVolumeClaim", ns, "water-well-0"); now.GetUID() != claim || now.GetDeletionTimestamp() != nil {
		t.Error("the PVC was recreated or deleted")
	}
	if result := mustInstall(t, client, parts(t, ns, "castle", after(ns))); result.Changed != 0 {
		t.Errorf("a second install changes %d objects", result.Changed)
	}
}

func TestObjectsThatHoldDataAreNeverRecreated(t *testing.T) {
	client := live(t)
	const ns = "vault"
	const gold = `
{apiVersion: v1, kind: Namespace, metadata: {name: NS}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: gold, namespace: NS}, spec: {accessModes: [MODE], resources: {requests: {storage: 1Gi}}}}
`
	mustInstall(t, client, parts(t, ns, "vault", strings.NewReplacer("NS", ns, "MODE", "ReadWriteOnce").Replace(gold)))
	request := parts(t, ns, "vault", strings.NewReplacer("NS", ns, "MODE", "ReadWriteMany").Replace(gold))
	request.Recreate = true
	_, _, err := install(t, client, request)
	if err == nil || !strings.Contains(err.Error(), "PersistentVolumeClaim/vault/gold cannot be changed in place") || !strings.Contains(err.Error(), "it holds data") {
		t.Errorf("want it rejected even with --recreate, got: %v", err)
	}
}

func TestAnInvalidObjectIsNotReportedAsImmutable(t *testing.T) {
	client := live(t)
	const ns = "typo"
	const yaml = `
{apiVersion: v1, kind: Namespace, metadata: {name: typo}}
---
{apiVersion: v1, kind: Service, metadata: {name: bell, namespace: typo}, spec: {ports: [{port: PORT}]}}
`
	mustInstall(t, client, parts(t, ns, "typo", strings.ReplaceAll(yaml, "PORT", "80")))
	_, _, err := install(t, client, parts(t, ns, "typo", strings.ReplaceAll(yaml, "PORT", "70000")))
	if err == nil || !strings.Contains(err.Error(), "the API server rejected Service/typo/bell: spec.ports[0].port") {
		t.Errorf("want the field that is wrong, got: %v", err)
	}
}

func TestAnObjectThatIsBeingDeletedIsWaitedFor(t *testing.T) {
	client := live(t)
	const ns = "autumn"
	leaf := in(ns, cellar)
	mustInstall(t, client, parts(t, ns, "tree", leaf))
	held := cluster.Edit(get(t, client, "v1", "ConfigMap", ns, "wine"), func(o *unstructured.Unstructured) { o.SetFinalizers([]string{"example.org/held"}) })
	o, err := client.Do(t.Context(), held, cluster.Options{Manager: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	plan := planFor(t, client, parts(t, ns, "tree", leaf))
	done := make(chan error, 1)
	go func() {
		_, err := apply.Run(t.Context(), client, plan, apply.Options{})
		done <- err
	}()
	for leaseIn(t, client, state.Namespace) == nil { // until the install has started
	}
	free := cluster.Edit(get(t, client, "v1", "ConfigMap", ns, "wine"), func(o *unstructured.Unstructured) { o.SetFinalizers(nil) })
	if _, err := client.Do(t.Context(), free, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if now := get(t, client, "v1", "ConfigMap", ns, "wine"); now.GetUID() == o.GetUID() {
		t.Error("the object is the one that was being deleted")
	}
}

func TestLeftOversOfOlderReleasesAreDeleted(t *testing.T) {
	client := live(t)
	const ns = "attic2"
	mustInstall(t, client, parts(t, "older", "old", in(ns, cellar+"---"+roof)))
	request := func(have string) plan.Request {
		r := parts(t, ns, "new", in(ns, `{apiVersion: v1, kind: ConfigMap, metadata: {name: lamp, namespace: NS}}`))
		r.Release = have
		r.LeftOvers = []release.LeftOver{{From: "1.10", APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "tiles", Why: "rain comes in"},
			{From: "1.10", APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "never-there"}, {From: "1.9", APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "gutter"}}
		return r
	}
	bare := request("1.9.1")
	bare.LeftOvers = nil
	mustInstall(t, client, bare)
	plan, result, err := install(t, client, request("1.10.2"))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.LeftOvers) != 1 || plan.LeftOvers[0].Name != "tiles" || plan.LeftOvers[0].Why != "rain comes in" {
		t.Errorf("planned %+v, want the tiles: 1.9.1 is older than 1.10 and not than 1.9", plan.LeftOvers)
	}
	if len(result.Pruned) != 1 || result.Pruned[0].Name != "tiles" {
		t.Errorf("removed %v", result.Pruned)
	}
	get(t, client, "v1", "ConfigMap", ns, "gutter")
}

var configMapsResource = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

const made = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"wine","namespace":"NS"},"data":{"year":"2019","grape":"gamay"}}`

func TestObjectsOfOtherFieldManagersAreAdoptedWithAllTheirFields(t *testing.T) {
	client := live(t)
	for _, manager := range []string{"kfctl", "kubectl-client-side-apply"} {
		ns := "found-" + strings.ReplaceAll(manager, "-client-side-apply", "")
		mustInstallYAML(t, client, "ground-"+ns, in(ns, "{apiVersion: v1, kind: Namespace, metadata: {name: NS}}"))
		o := kubetest.Objects(t, []byte(in(ns, made)))[0]
		configMaps := client.Dynamic.Resource(configMapsResource).Namespace(ns)
		if _, err := configMaps.Create(t.Context(), o, metav1.CreateOptions{FieldManager: manager}); err != nil {
			t.Fatal(err)
		}
		note := []byte(`{"metadata":{"labels":{"note":"edited"}}}`)
		if _, err := configMaps.Patch(t.Context(), "wine", types.MergePatchType, note, metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
			t.Fatal(err)
		}
		client.Forget()
		p := planFor(t, client, parts(t, ns, "cellar", in(ns, cellar)))
		var adopted []string
		for _, g := range p.Objects {
			if g.Adopted {
				adopted = append(adopted, g.Object.GetName()+" by "+strings.Join(g.PreviousManagers, ", "))
			}
		}
		if want := []string{"wine by " + manager}; !slices.Equal(adopted, want) {
			t.Errorf("the plan adopts %v, want %v", adopted, want)
		}
		verdicts, err := preflight.DryRun(t.Context(), client, p)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(verdicts, func(v plan.Verdict) bool { return v.Ref.Name == "wine" })
		if v := verdicts[at]; v.Action != plan.Change || !v.Adopts || !slices.Equal(v.Drops, []string{".data.grape"}) || !strings.Contains(v.Diff, `: "2020"`) {
			t.Errorf("the server's verdict is %+v", v)
		}
		mustInstall(t, client, parts(t, ns, "cellar", in(ns, cellar)))
		now := get(t, client, "v1", "ConfigMap", ns, "wine")
		if grape := kube.Text(now.Object, "data", "grape"); grape != "" {
			t.Errorf("%s's field is still there: %s", manager, grape)
		}
		if now.GetLabels()["note"] != "edited" {
			t.Error("the label that another client set is gone")
		}
		if result := mustInstall(t, client, parts(t, ns, "cellar", in(ns, cellar))); result.Changed+result.Applied > 0 {
			t.Errorf("the next install writes %+v", result)
		}
	}
}
