package fixes

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// live returns a ConfigMap as a server has it: with a UID and who wrote it.
func live(x string, uid types.UID, managers ...string) *unstructured.Unstructured {
	o := value("a", x)
	o.SetUID(uid)
	var entries []metav1.ManagedFieldsEntry
	for _, m := range managers {
		entries = append(entries, metav1.ManagedFieldsEntry{Manager: m, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(`{"f:data":{}}`)})
	}
	o.SetManagedFields(entries)
	return o
}

func TestAnObjectShowsWhatBecameOfAStep(t *testing.T) {
	update := cluster.Edit(live("bad", "1"), func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, "good", "data", "x") })
	deletion := cluster.Change{Verb: cluster.Delete, Before: live("bad", "1")}
	creation := cluster.Change{Verb: cluster.Apply, After: value("a", "good")}
	for _, c := range []struct {
		name   string
		change cluster.Change
		state  StepState
		uid    types.UID
		now    *unstructured.Unstructured
		want   trace
	}{
		{"an update that is there", update, StepMade, "1", live("good", "1", doctor.Manager), present},
		{"the same values, which the server does not note as the fix's", update, StepMade, "1", live("good", "1", "kubectl"), absent},
		{"an update that may have been made, by its field manager", update, StepPlanned, "", live("good", "1", "kubectl", doctor.Manager), present},
		{"the same values, written by another client", update, StepPlanned, "", live("good", "1", "kubectl"), absent},
		{"an update that is not there", update, StepPlanned, "", live("bad", "1"), absent},
		{"an update that was reverted", update, StepMade, "1", live("bad", "1"), absent},
		{"an update that another client changed", update, StepMade, "1", live("other", "1"), altered},
		{"an update of an object that was recreated since", update, StepMade, "1", live("good", "2"), altered},
		{"an update of an object that is gone", update, StepMade, "1", nil, missing},
		{"a deletion", deletion, StepMade, "", nil, present},
		{"a deletion that was not made", deletion, StepPlanned, "", live("bad", "1"), absent},
		{"a deletion that was reverted", deletion, StepMade, "", live("bad", "2"), absent},
		{"an object recreated by another client", deletion, StepMade, "", live("other", "2"), altered},
		{"an object that the server does not note as created by the fix", creation, StepMade, "1", live("good", "1", "kubectl"), altered},
		{"a creation", creation, StepMade, "1", live("good", "1", doctor.Manager), present},
		{"a creation that may have been made, by its field manager", creation, StepPlanned, "", live("good", "1", doctor.Manager), present},
		{"an object of that name, created by another client", creation, StepPlanned, "", live("good", "1", "kubectl"), absent},
		{"a creation that another client changed", creation, StepMade, "1", live("good", "1", doctor.Manager, "kubectl"), altered},
		{"a creation that a controller completed", creation, StepMade, "1", live("good", "1", doctor.Manager, "kube-controller-manager"), present},
		{"a creation that was deleted and created again", creation, StepMade, "1", live("good", "2", doctor.Manager), altered},
		{"a creation that is not there", creation, StepMade, "1", nil, absent},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, err := planned(doctor.Proposal{Fix: &doctor.Fix{}}, c.change)
			if err != nil {
				t.Fatal(err)
			}
			step.State, step.UID = c.state, c.uid
			run := &Run{Steps: []*Step{step}}
			if got, why := run.traceOf(step, c.now); got != c.want {
				t.Errorf("the trace is %d (%s), want %d", got, why, c.want)
			}
		})
	}
}

func TestAnObjectThatTheFixReplacesIsNotTakenForItsSuccessor(t *testing.T) {
	run := &Run{}
	if _, err := run.plan(doctor.Proposal{Fix: &doctor.Fix{Changes: []cluster.Change{
		{Verb: cluster.Delete, Before: live("bad", "1", doctor.Manager)}, {Verb: cluster.Apply, After: value("a", "good")},
	}}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := run.traceOf(run.Steps[1], live("bad", "1", doctor.Manager)); got != absent {
		t.Errorf("the trace of the creation is %d: an undo would delete what was never replaced", got)
	}
}

func TestAListThatAnotherClientChangedIsAltered(t *testing.T) {
	items := func(items ...any) *unstructured.Unstructured {
		o := live("", "1", doctor.Manager)
		o.Object["items"] = items
		return o
	}
	step, err := planned(doctor.Proposal{Fix: &doctor.Fix{}}, cluster.Change{Verb: cluster.Patch, Before: items("a"), After: items("a", "b", "c")})
	if err != nil {
		t.Fatal(err)
	}
	step.State = StepMade
	if got, _ := (&Run{}).traceOf(step, items("a", "b", "z")); got != altered {
		t.Errorf("the trace is %d, want %d", got, altered)
	}
}

func TestAnInverseKnowsWhenItIsDone(t *testing.T) {
	list := func(items ...any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "List", "items": items}}
	}
	for _, c := range []struct {
		name          string
		before, after *unstructured.Unstructured
	}{
		{"a value", list("a"), list("b")},
		{"a shorter list", list("a", "b", "c"), list("a")},
		{"a longer list", list("a"), list("a", "b", "c")},
		{"a longer list of another start", list("a"), list("b", "c")},
		{"a field", list(map[string]any{"x": "y"}), list(map[string]any{})},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded, err := cluster.Change{Before: c.before, After: c.after}.Inverse()
			if err != nil {
				t.Fatal(err)
			}
			p, err := decodeInverse(recorded)
			if err != nil {
				t.Fatal(err)
			}
			if p.on(c.after) == nil || !p.isDone(c.before) || p.isDone(c.after) {
				t.Errorf("%s: applies to what was written: %v, done before: %v, done as written: %v", recorded, p.on(c.after) != nil, p.isDone(c.before), p.isDone(c.after))
			}
		})
	}
}
