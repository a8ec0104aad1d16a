package fixes

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// An undoCase is a fix, what other clients do meanwhile, and what the fix and its undo lead to.
type undoCase struct {
	name    string
	objects []*unstructured.Unstructured
	check   *doctor.Check
	asked   func(w *world, round int) // what another client does between the look and the fix
	outcome doctor.Outcome
	fixed   []string       // the values after the fix
	later   func(w *world) // what another client does between the fix and the undo
	undone  []string       // what became of each change
	left    []string       // the values after the undo
}

type objects = []*unstructured.Unstructured

var undoCases = []undoCase{
	{
		name:    "what a fix changes, creates and deletes comes back",
		objects: objects{value("a", "bad"), value("c", "bad")}, check: does("all", sets("a", "good"), creates("b", "new"), deletes("c")),
		outcome: doctor.Fixed, fixed: []string{"a=good", "b=new"},
		undone: []string{"a reverted", "b reverted", "c reverted"}, left: []string{"a=bad", "c=bad"},
	},
	{
		name:    "an object that is recreated before the fix deletes it stays",
		objects: objects{value("a", "bad"), value("b", "bad")}, check: does("deletion", sets("b", "good"), deletes("a")),
		asked:   func(w *world, _ int) { w.recreate(value("a", "new")) },
		outcome: doctor.Fixed, fixed: []string{"a=new", "b=good"},
		undone: []string{"a untouched", "b reverted"}, left: []string{"a=new", "b=bad"},
	},
	{
		name:    "an object that is recreated after the fix deleted it stays",
		objects: objects{value("a", "bad")}, check: does("deletion", deletes("a")),
		outcome: doctor.Fixed, fixed: nil, later: func(w *world) { w.write(value("a", "new")) },
		undone: []string{"a changed"}, left: []string{"a=new"},
	},
	{
		name:    "a fix that fails at its second change is undone as far as it came",
		objects: objects{value("a", "bad"), immutable("b", "bad"), value("c", "bad")}, check: does("failing", sets("a", "good"), sets("b", "good"), sets("c", "good")),
		outcome: doctor.Failed, fixed: []string{"a=good", "b=bad", "c=bad"},
		undone: []string{"a reverted", "b untouched", "c untouched"}, left: []string{"a=bad", "b=bad", "c=bad"},
	},
	{
		name:    "what a fix did not come to is not compared with what others do to it",
		objects: objects{value("a", "bad"), immutable("b", "bad"), value("c", "bad")}, check: does("failing", sets("a", "good"), sets("b", "good"), sets("c", "good")),
		outcome: doctor.Failed, fixed: []string{"a=good", "b=bad", "c=bad"}, later: func(w *world) { w.write(value("c", "good")) },
		undone: []string{"a reverted", "b untouched", "c untouched"}, left: []string{"a=bad", "b=bad", "c=good"},
	},
	{
		name:    "a fix that makes it worse is undone",
		objects: objects{value("a", "bad")}, check: worsens("a"),
		outcome: doctor.Worse, fixed: []string{"a=worse"},
		undone: []string{"a reverted"}, left: []string{"a=bad"},
	},
	{
		name:    "a fix that helps nothing is undone",
		objects: objects{value("a", "bad")}, check: remains("a"),
		outcome: doctor.Remains, fixed: []string{"a=no better"},
		undone: []string{"a reverted"}, left: []string{"a=bad"},
	},
	{
		name:    "a fix that is tried again is undone once",
		objects: objects{value("a", "bad")}, check: does("retried", sets("a", "good")),
		asked: func(w *world, round int) {
			if round < most {
				w.annotate("a", string(rune('a'+round)))
			}
		},
		outcome: doctor.Fixed, fixed: []string{"a=good"},
		undone: []string{"a reverted"}, left: []string{"a=bad"},
	},
	{
		name:    "a fix that comes too late each time leaves nothing to undo",
		objects: objects{value("a", "bad")}, check: does("late", sets("a", "good")),
		asked:   func(w *world, round int) { w.annotate("a", string(rune('a'+round))) },
		outcome: doctor.Remains, fixed: []string{"a=bad"},
		undone: []string{"a untouched"}, left: []string{"a=bad"},
	},
	{
		name:    "what another client changed since stays",
		objects: objects{value("a", "bad"), value("b", "bad")}, check: does("update", sets("a", "good"), sets("b", "good")),
		outcome: doctor.Fixed, fixed: []string{"a=good", "b=good"}, later: func(w *world) { w.write(value("a", "theirs")) },
		undone: []string{"a changed", "b reverted"}, left: []string{"a=theirs", "b=bad"},
	},
	{
		name:    "what another client has already reverted counts as reverted",
		objects: objects{value("a", "bad")}, check: does("update", sets("a", "good")),
		outcome: doctor.Fixed, fixed: []string{"a=good"}, later: func(w *world) { w.write(value("a", "bad")) },
		undone: []string{"a reverted"}, left: []string{"a=bad"},
	},
	{
		name:    "an object that was recreated with the same value as the fix wrote stays",
		objects: objects{value("a", "bad")}, check: does("update", sets("a", "good")),
		outcome: doctor.Fixed, fixed: []string{"a=good"}, later: func(w *world) { w.recreate(value("a", "good")) },
		undone: []string{"a changed"}, left: []string{"a=good"},
	},
	{
		name:    "an object that is gone is named",
		objects: objects{value("a", "bad")}, check: does("update", sets("a", "good")),
		outcome: doctor.Fixed, fixed: []string{"a=good"}, later: func(w *world) { w.remove(value("a", "")) },
		undone: []string{"a gone"}, left: nil,
	},
	{
		name:  "an object that the fix created and another client changed stays",
		check: does("creation", creates("a", "new")), outcome: doctor.Fixed, fixed: []string{"a=new"},
		later:  func(w *world) { w.write(value("a", "theirs")) },
		undone: []string{"a changed"}, left: []string{"a=theirs"},
	},
	{
		name:  "an object that the fix created and another client replaced stays",
		check: does("creation", creates("a", "new")), outcome: doctor.Fixed, fixed: []string{"a=new"},
		later:  func(w *world) { w.recreate(value("a", "new")) },
		undone: []string{"a changed"}, left: []string{"a=new"},
	},
	{
		name:  "an object that appears before the fix creates it stays",
		check: does("creation", creates("a", "new"), creates("b", "new")), outcome: doctor.Fixed, fixed: []string{"a=theirs", "b=new"},
		asked: func(w *world, round int) {
			if round == 1 {
				w.write(value("a", "theirs"))
			}
		},
		undone: []string{"a untouched", "b reverted"}, left: []string{"a=theirs"},
	},
	{
		name:    "an object that the fix applied over comes back",
		objects: objects{value("a", "theirs")}, check: does("overwriting", overwrites("a", "new")),
		outcome: doctor.Fixed, fixed: []string{"a=new"},
		undone: []string{"a reverted"}, left: []string{"a=theirs"},
	},
	{
		name:    "a Secret comes back",
		objects: objects{secret("a", "YmFk"), value("b", "bad")}, check: does("secret", setsSecret("a", "Z29vZA=="), sets("b", "good")),
		outcome: doctor.Fixed, fixed: []string{"a=Z29vZA==", "b=good"},
		undone: []string{"a reverted", "b reverted"}, left: []string{"a=YmFk", "b=bad"},
	},
}

func TestUndoRevertsWhatTheFixDidAndNothingElse(t *testing.T) {
	w := worldOf(t)
	for _, c := range undoCases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{t, w.ctx, w.client}
			w.reset(c.objects...)
			r, err := w.fix(w.client, func(round int) {
				if c.asked != nil {
					c.asked(w, round)
				}
			}, c.check)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Fixes) != 1 || r.Fixes[0].Outcome != c.outcome {
				t.Errorf("the fixes are %+v, want one that is %s", r.Fixes, c.outcome)
			}
			if got := w.values(); !sameValues(got, c.fixed...) {
				t.Errorf("after the fix there is %v, want %v", got, c.fixed)
			}
			if c.later != nil {
				c.later(w)
			}
			w.undoes(c.undone, c.left)
		})
	}
}

// undoes undoes the last run and compares what becomes of its changes.
func (w *world) undoes(undone, left []string) {
	w.Helper()
	u, err := w.undo(w.client)
	if err != nil {
		w.Fatal(err)
	}
	if got := reversals(u); !slices.Equal(got, undone) {
		w.Errorf("undone: %v, want %v (%+v)", got, undone, u.Steps)
	}
	if got := w.values(); !sameValues(got, left...) {
		w.Errorf("after the undo there is %v, want %v", got, left)
	}
}

// TestRecordsOfOlderVersionsAreUndoneSafely undoes records in namespace kubeflow, without states, in which every step of a finished
// run says done. What was deleted is not restored on their word.
func TestRecordsOfOlderVersionsAreUndoneSafely(t *testing.T) {
	w := worldOf(t)
	for _, c := range undoCases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{t, w.ctx, w.client}
			w.reset(c.objects...)
			if _, err := w.fix(w.client, func(round int) {
				if c.asked != nil {
					c.asked(w, round)
				}
			}, c.check); err != nil {
				t.Fatal(err)
			}
			deleted := w.age()
			if c.later != nil {
				c.later(w)
			}
			now := w.values()
			if err := TakeOver(w.ctx, w.client, func(line string) { t.Log(line) }); err != nil {
				t.Fatal(err)
			}
			if _, err := w.undo(w.client); err != nil {
				t.Fatal(err)
			}
			left := slices.DeleteFunc(slices.Clone(c.left), func(value string) bool {
				name, _, _ := strings.Cut(value, "=")
				_, there := now[name]
				return slices.Contains(deleted, name) && !there
			})
			if got := w.values(); !sameValues(got, left...) {
				t.Errorf("after the undo there is %v, want %v", got, left)
			}
		})
	}
}

// age makes the last run's record one of an older version, and returns the names of what the run deleted.
func (w *world) age() (deleted []string) {
	w.Helper()
	run := w.lastRun()
	for _, s := range run.Steps {
		s.State, s.UID, s.Version, s.Done = "", "", "", true
		if s.Before != nil {
			deleted = append(deleted, s.About.Name)
		}
	}
	content, err := json.Marshal(run)
	if err != nil {
		w.Fatal(err)
	}
	records, err := Records(w.ctx, w.client.View())
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range records { // also what says that records were taken over
		w.remove(o)
	}
	w.plant("ConfigMap", run.Name, string(content))
	return deleted
}

// plant writes a record where older versions had them.
func (w *world) plant(kind, name, content string) {
	w.Helper()
	o := (&Run{Name: name}).object()
	o.SetKind(kind)
	o.SetNamespace(earlierNamespace)
	field := "data"
	if kind == "Secret" {
		field = "stringData"
	}
	o.Object[field] = map[string]any{recordKey: content}
	w.write(o)
}

func TestARestartIsUndoneByOneMore(t *testing.T) {
	w := worldOf(t)
	w.reset(deployment("d"), value("a", "bad"))
	before := w.contents()
	checks := []*doctor.Check{does("first", sets("a", "good"), restarts("d")), does("second", restarts("d"))}
	if _, err := w.fix(w.client, nil, checks...); err != nil {
		t.Fatal(err)
	}
	if w.contents()["d"] == before["d"] {
		t.Fatal("nothing was restarted")
	}
	u, err := w.undo(w.client)
	if err != nil || !u.Whole() || len(u.Steps) != 3 {
		t.Errorf("the undo is %+v, %v", u, err)
	}
	if got := w.contents(); !sameContents(got, before) {
		t.Errorf("after the undo there is %v, at first %v", got, before)
	}
}

// worsens is a check whose fix leads to another, second finding.
func worsens(name string) *doctor.Check {
	return judged(name, "worse", func(x string) int { return map[string]int{"bad": 1, "worse": 2}[x] })
}

// remains is a check whose fix helps nothing.
func remains(name string) *doctor.Check {
	return judged(name, "no better", func(string) int { return 1 })
}

// judged is a check that finds so many things wrong with a value, and sets it to another one once.
func judged(name, to string, wrong func(x string) int) *doctor.Check {
	return &doctor.Check{ID: "test/judged", Title: "All is done", Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		now, err := e.Get(ctx, cluster.RefOf(value(name, "")))
		if err != nil {
			return nil, err
		}
		var all []doctor.Finding
		for range wrong(dataOf(now)) {
			f := doctor.Finding{Severity: doctor.Error, About: doctor.Subject{Ref: cluster.RefOf(now)}, Message: "it is wrong"}
			if dataOf(now) != to {
				f.Fix = &doctor.Fix{Title: "Set another value", Impact: doctor.Safe, Changes: []cluster.Change{*sets(name, to).what(now)}}
			}
			all = append(all, f)
		}
		return all, nil
	}}
}

func immutable(name, x string) *unstructured.Unstructured {
	o := value(name, x)
	o.Object["immutable"] = true
	return o
}

// annotate is another client that changes an object, though not its value.
func (w *world) annotate(name, text string) {
	w.Helper()
	o := value(name, "")
	delete(o.Object, "data")
	o.SetAnnotations(map[string]string{"note": text})
	if _, err := w.client.Do(w.ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "annotator", Force: true}); err != nil {
		w.Fatal(err)
	}
}
