package checks

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// editors is a profile's namespace, whose editor writes what an administrator then diagnoses.
const editors = "mallory"

const ofEditors = `
---
{apiVersion: v1, kind: Namespace, metadata: {name: mallory, annotations: {owner: mallory@example.org}, labels: {app.kubernetes.io/part-of: kubeflow-profile, istio-injection: enabled}}}
`

// An editor's copy has the names, labels and annotations of what other namespaces have: whatever a check looks for by these, it meets twice.
func editorsCopy(o *unstructured.Unstructured) *unstructured.Unstructured {
	own := o.DeepCopy()
	own.SetNamespace(editors)
	if kind := own.GroupVersionKind().GroupKind(); kind == kube.EventKind { // the API server demands that both are the same
		_ = unstructured.SetNestedField(own.Object, editors, "involvedObject", "namespace")
	}
	return own
}

// editable are the objects of cases that an editor of one namespace could have there; none that no API server accepts.
func editable(t *testing.T, a *txtar.Archive) (list []*unstructured.Unstructured) {
	denied := []string{"rbac.authorization.k8s.io", "apiextensions.k8s.io"}
	for _, o := range objects(t, file(a, "cluster.yaml")) {
		kind := o.GroupVersionKind().GroupKind()
		if o.GetNamespace() == "" || kube.ClusterScoped(kind) || slices.Contains(denied, kind.Group) || kind == (schema.GroupKind{Kind: "ResourceQuota"}) {
			continue
		}
		if _, err := cluster.As[corev1.Pod](o); kind == kube.PodKind && err != nil {
			continue
		}
		list = append(list, editorsCopy(o))
	}
	return list
}

// with returns a case whose cluster has more objects.
func with(t *testing.T, a *txtar.Archive, more ...*unstructured.Unstructured) *txtar.Archive {
	t.Helper()
	content := file(a, "cluster.yaml") + ofEditors
	seen := map[cluster.Ref]bool{}
	for _, o := range more {
		if ref := cluster.RefOf(o).Identity(); seen[ref] {
			continue
		} else {
			seen[ref] = true
		}
		document, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		content += "\n---\n" + string(document)
	}
	files := slices.DeleteFunc(slices.Clone(a.Files), func(f txtar.File) bool { return f.Name == "cluster.yaml" })
	return &txtar.Archive{Files: append(files, txtar.File{Name: "cluster.yaml", Data: []byte(content)})}
}

// elsewhere returns the warnings and errors of a report about objects that are not the editor's, and the changes that its fixes make to them.
func elsewhere(c doctor.CheckReport) (found map[string]doctor.Severity, changes []string) {
	found = map[string]doctor.Severity{}
	for _, f := range c.Findings {
		if !f.Severity.AtLeast(doctor.Warning) {
			continue
		}
		for _, about := range append([]cluster.Ref{f.About.Ref}, f.Affects...) {
			if about.Namespace != editors && about.Name != editors {
				found[about.Identity().String()] = f.Severity
			}
		}
		if f.Fix == nil {
			continue
		}
		for _, change := range f.Fix.Changes {
			if change.Ref().Namespace != editors {
				changes = append(changes, string(change.Verb)+" "+change.Ref().String()+" "+cluster.Diff(change.Before, change.After))
			}
		}
	}
	slices.Sort(changes)
	return found, changes
}

// TestAnEditorOfOneNamespaceChangesNoVerdictOfOthers gives a profile's editor, beside each failing case, copies of the objects of all
// cases of that check (those that pass are among them) and of some of other checks, with their names, labels and annotations. What was
// found elsewhere is still found, no less severe, and no fix changes more there.
func TestAnEditorOfOneNamespaceChangesNoVerdictOfOthers(t *testing.T) {
	own, all := map[string][]*unstructured.Unstructured{}, []*unstructured.Unstructured{}
	eachCase(t, func(t *testing.T, c *doctor.Check, _ string, a *txtar.Archive) {
		copies := editable(t, a)
		own[c.ID] = append(own[c.ID], copies...)
		all = append(all, copies...)
	})
	random, runs := rand.New(rand.NewPCG(15, 1)), 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		if !strings.HasPrefix(file(a, "want"), string(doctor.Found)) || file(a, "install.yaml") != "" {
			return
		}
		view, s := read(t, with(t, a))
		before, fixes := elsewhere(runCheck(view, c, s))
		written := map[string][]*unstructured.Unstructured{"the objects of the check's own cases": own[c.ID]}
		some := slices.Clone(own[c.ID])
		random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		some = some[:len(some)/2]
		for range 40 {
			some = append(some, all[random.IntN(len(all))])
		}
		written["objects chosen at random"] = some
		for _, name := range slices.Sorted(maps.Keys(written)) {
			runs++
			view, s := read(t, with(t, a, written[name]...))
			report := runCheck(view, c, s)
			after, changes := elsewhere(report)
			for about, severity := range before {
				if !after[about].AtLeast(severity) {
					t.Errorf("%s: with %s in %s, %q about %s is %q:\n%s", path, name, editors, severity, about, after[about], formatReport(report))
				}
			}
			for _, change := range changes { // fewer are right where a fix would take what is the editor's
				if !slices.Contains(fixes, change) {
					t.Errorf("%s: with %s in %s, a fix makes this change elsewhere:\n%s", path, name, editors, change)
				}
			}
		}
	})
	t.Logf("%d runs with objects of an editor", runs)
}
