package fixes

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// kubeconfig is that of a real API server, shared by the tests here.
var kubeconfig string

func TestMain(m *testing.M) {
	sandboxtest.Main(m, &kubeconfig, "--kubernetes=1.35", "--nodes=1")
}

// A world is a few objects on a real API server, which the tests' checks look at.
type world struct {
	*testing.T
	ctx    context.Context
	client *cluster.Client
}

const mark = "undo-test"

// worldOf returns a world without objects and without records.
func worldOf(t *testing.T) *world {
	t.Helper()
	sandboxtest.Needed(t)
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(stop)
	w := &world{t, ctx, sandboxtest.Connect(t, kubeconfig)}
	w.write(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": earlierNamespace}}})
	if err := state.Ensure(ctx, w.client); err != nil {
		t.Fatal(err)
	}
	w.reset()
	return w
}

// reset deletes everything, and puts these objects there.
func (w *world) reset(objects ...*unstructured.Unstructured) {
	w.Helper()
	for _, o := range w.list() {
		w.remove(o)
	}
	records, err := Records(w.ctx, w.client.View())
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range records {
		w.remove(o)
	}
	for _, o := range objects {
		w.write(o)
	}
}

// write is another client that applies an object.
func (w *world) write(o *unstructured.Unstructured) {
	w.Helper()
	if _, err := w.client.Do(w.ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "test", Force: true}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) remove(o *unstructured.Unstructured) {
	w.Helper()
	_, err := w.client.Do(w.ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: "test"})
	if err != nil && !apierrors.IsNotFound(err) {
		w.Fatal(err)
	}
}

// recreate is another client that replaces an object.
func (w *world) recreate(o *unstructured.Unstructured) {
	w.Helper()
	w.remove(o)
	w.write(o)
}

var kinds = []schema.GroupKind{{Kind: "ConfigMap"}, {Kind: "Secret"}, {Group: "apps", Kind: "Deployment"}}

func (w *world) list() []*unstructured.Unstructured {
	w.Helper()
	var all []*unstructured.Unstructured
	for _, kind := range kinds {
		list, err := w.client.View().List(w.ctx, kind, cluster.Scope{Namespace: earlierNamespace, Labels: mark})
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

// contents returns what every object holds, by its name.
func (w *world) contents() map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, o := range w.list() {
		annotations, _, _ := unstructured.NestedMap(o.Object, "spec", "template", "metadata", "annotations")
		text, err := json.Marshal([]any{o.Object["data"], annotations})
		if err != nil {
			w.Fatal(err)
		}
		all[o.GetName()] = string(text)
	}
	return all
}

// values returns the value of every ConfigMap, by its name.
func (w *world) values() map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, o := range w.list() {
		all[o.GetName()], _, _ = unstructured.NestedString(o.Object, "data", "x")
	}
	return all
}

// fix runs the fixes of checks with a client.
func (w *world) fix(client *cluster.Client, confirm func(round int), checks ...*doctor.Check) (*doctor.Report, error) {
	rounds := 0
	return Apply(w.ctx, client, checks, Options{
		Allow: []doctor.Impact{doctor.RestartsPods, doctor.LosesData}, Wait: 200 * time.Millisecond, Now: time.Now,
		Confirm: func(_ context.Context, p doctor.FixPlan) ([]doctor.Proposal, error) {
			if rounds++; confirm != nil {
				confirm(rounds)
			}
			return p.Apply, nil
		},
	})
}

func (w *world) lastRun() Run {
	w.Helper()
	runs, err := Runs(w.ctx, w.client)
	if err != nil || len(runs) == 0 {
		w.Fatalf("there is no run: %v", err)
	}
	return runs[0]
}

func (w *world) undo(client *cluster.Client) (*Undone, error) {
	w.Helper()
	run := w.lastRun()
	return Undo(w.ctx, client, checksOf(run), run, UndoOptions{Wait: 200 * time.Millisecond, Now: time.Now})
}

// checksOf returns the checks that a run names, as they declare what the deeds here do.
func checksOf(run Run) []*doctor.Check {
	in := []string{earlierNamespace}
	var checks []*doctor.Check
	for _, s := range run.Steps {
		checks = append(checks, &doctor.Check{ID: s.Check, Writes: []doctor.Write{
			{Kind: schema.GroupKind{Kind: "ConfigMap"}, In: in, Fields: []string{"/data/x"}, Create: true, Delete: true},
			{Kind: schema.GroupKind{Kind: "Secret"}, In: in, Fields: []string{"/data/x"}},
			{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, In: in, Restart: true},
		}})
	}
	return checks
}

// value returns a ConfigMap with one value.
func value(name, x string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": earlierNamespace, "labels": map[string]any{mark: "yes"}},
		"data":     map[string]any{"x": x},
	}}
}

func secret(name, x string) *unstructured.Unstructured {
	o := value(name, x)
	o.SetKind("Secret")
	return o
}

func deployment(name string) *unstructured.Unstructured {
	labels := map[string]any{"app": name}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": name, "namespace": earlierNamespace, "labels": map[string]any{mark: "yes"}},
		"spec": map[string]any{"replicas": int64(0), "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "main", "image": "registry.k8s.io/pause:3.10"}}},
		}},
	}}
}

// A deed makes one change of a fix, nil where nothing is left to change. It gets the object that it names, nil where it does not exist.
type deed struct {
	of   *unstructured.Unstructured
	what func(now *unstructured.Unstructured) *cluster.Change
}

// sets is a deed that gives a ConfigMap another value, unless it has it.
func sets(name, x string) deed {
	return deed{value(name, ""), func(now *unstructured.Unstructured) *cluster.Change {
		if now == nil || dataOf(now) == x {
			return nil
		}
		c := cluster.Edit(now, func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, x, "data", "x") })
		return &c
	}}
}

// setsSecret is the same of a Secret, whose value is base64.
func setsSecret(name, x string) deed {
	d := sets(name, x)
	d.of = secret(name, "")
	return d
}

func creates(name, x string) deed {
	return deed{value(name, ""), func(now *unstructured.Unstructured) *cluster.Change {
		if now != nil {
			return nil
		}
		return &cluster.Change{Verb: cluster.Apply, After: value(name, x)}
	}}
}

// overwrites is a deed that applies an object without a look at what is there.
func overwrites(name, x string) deed {
	return deed{value(name, ""), func(now *unstructured.Unstructured) *cluster.Change {
		if now != nil && dataOf(now) == x {
			return nil
		}
		return &cluster.Change{Verb: cluster.Apply, After: value(name, x)}
	}}
}

// deletes is a deed that deletes a ConfigMap which is bad.
func deletes(name string) deed {
	return deed{value(name, ""), func(now *unstructured.Unstructured) *cluster.Change {
		if now == nil || dataOf(now) != "bad" {
			return nil
		}
		return &cluster.Change{Verb: cluster.Delete, Before: now}
	}}
}

// restarts is a deed that restarts a Deployment which never was.
func restarts(name string) deed {
	return deed{deployment(name), func(now *unstructured.Unstructured) *cluster.Change {
		if _, restarted, _ := unstructured.NestedString(now.Object, "spec", "template", "metadata", "annotations", doctor.RestartedAt); restarted {
			return nil
		}
		c := doctor.RestartOf(now)
		return &c
	}}
}

func dataOf(o *unstructured.Unstructured) string {
	x, _, _ := unstructured.NestedString(o.Object, "data", "x")
	return x
}

// does is a check that finds something wrong as long as one of its deeds is left to do. Its fix does all that are left.
func does(id string, deeds ...deed) *doctor.Check {
	return &doctor.Check{ID: "test/" + id, Title: "All is done", Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		fix := &doctor.Fix{Title: "Do " + id, Impact: doctor.LosesData}
		for _, d := range deeds {
			now, err := e.Get(ctx, cluster.RefOf(d.of))
			if err != nil && !apierrors.IsNotFound(err) {
				return nil, err
			}
			if change := d.what(now); change != nil {
				fix.Changes = append(fix.Changes, *change)
			}
		}
		if len(fix.Changes) == 0 {
			return nil, nil
		}
		return []doctor.Finding{{Severity: doctor.Error, About: doctor.Subject{Ref: cluster.RefOf(deeds[0].of)}, Message: "it is not done", Fix: fix}}, nil
	}}
}

// reversals returns what became of each object, in the order of their names.
func reversals(u *Undone) []string {
	var all []string
	for _, s := range u.Steps {
		all = append(all, fmt.Sprintf("%s %s", s.About.Name, s.Outcome))
	}
	slices.Sort(all)
	return all
}

func sameValues(got map[string]string, want ...string) bool {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		all = append(all, name+"="+got[name])
	}
	return slices.Equal(all, want)
}
