package fixes

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A trace is what an object shows of a step.
type trace int

const (
	absent  trace = iota // the object is as it was before the step
	present              // what the step wrote is there, and nothing says that another client wrote it
	altered              // the object is neither as it was before the step nor as the step left it
	missing              // the object that the step changed does not exist any more
)

// traceOf returns what the object, nil where it does not exist, shows of a step of the run, and for an altered one the reason.
func (r *Run) traceOf(s *Step, now *unstructured.Unstructured) (trace, string) {
	switch {
	case s.Before != nil:
		return s.traceOfDeletion(now)
	case s.Created:
		if now != nil && r.deleted(now.GetUID()) { // the fix replaces an object, and has not come to that
			return absent, ""
		}
		return s.traceOfCreation(now)
	}
	return s.traceOfUpdate(now)
}

func (s *Step) traceOfDeletion(now *unstructured.Unstructured) (trace, string) {
	switch {
	case now == nil:
		return present, ""
	case now.GetUID() == s.Before.GetUID() && now.GetDeletionTimestamp() == nil, cluster.Diff(s.Before, now) == "" && now.GetDeletionTimestamp() == nil:
		return absent, ""
	case now.GetUID() == s.Before.GetUID():
		return altered, "it is still being deleted"
	}
	return altered, "it was recreated since"
}

func (s *Step) traceOfCreation(now *unstructured.Unstructured) (trace, string) {
	if now == nil {
		return absent, ""
	}
	if s.UID != "" && s.UID != now.GetUID() {
		return altered, "it was recreated since"
	}
	ours, others := writers(now)
	switch {
	case !ours && s.State != StepMade:
		return absent, ""
	case !ours:
		return altered, changedSince
	case len(others) > 0 && !s.unchanged(now):
		return altered, "changed since by " + strings.Join(others, ", ")
	}
	return present, ""
}

const changedSince = "it was changed since"

func (s *Step) traceOfUpdate(now *unstructured.Unstructured) (trace, string) {
	if now == nil {
		return missing, ""
	}
	if s.UID != "" && s.UID != now.GetUID() {
		return altered, "it was recreated since"
	}
	undo, err := decodeInverse(s.Inverse)
	if err != nil {
		return altered, fmt.Sprintf("its record cannot be read: %v", err)
	}
	back := undo.on(now)
	switch {
	case len(undo) == 0 && s.Verb == cluster.Apply && s.State != StepMade:
		return altered, "the fix was interrupted, and what it changed is not known"
	case len(undo) == 0:
		return absent, ""
	case back != nil && s.wrote(now, back):
		return present, ""
	case back != nil, undo.isDone(now): // another client wrote the same values, or they are as they were
		return absent, ""
	}
	return altered, changedSince
}

// wrote reports whether the server notes that a fix set every value that is reverted. Where the fix only removed something, nothing
// of it is left to note: then the step has to be of this very object.
func (s *Step) wrote(now, back *unstructured.Unstructured) bool {
	values := false
	for _, f := range cluster.ChangedFields(now, back) {
		if f.Before == nil || f.Empty() {
			continue
		}
		if !kube.SetBy(now, f.Pointer, doctor.Manager) {
			return false
		}
		values = true
	}
	return values || s.State != StepMade || s.UID == now.GetUID()
}

// unchanged reports whether nothing at all has written to the object after the step.
func (s *Step) unchanged(now *unstructured.Unstructured) bool {
	return s.Version != "" && s.UID == now.GetUID() && s.Version == now.GetResourceVersion()
}
