package fixes

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// An Intent is what an undo does about one step of a run: a change, or nothing and the reason for that.
type Intent struct {
	About   cluster.Ref
	Check   string
	Change  *cluster.Change // nil if there is nothing to do
	Outcome Reversal        // of a step without a change
	Reason  string
}

// decide returns what is to be done about a step, by its record and the object as it is now. It reads and writes nothing.
func (u *undoer) decide(s *Step, now *unstructured.Unstructured) Intent {
	i := Intent{About: s.About, Check: s.Check}
	if s.settled() {
		if i.Outcome = Untouched; s.State == StepReverted {
			i.Outcome = Reverted
		}
		return i
	}
	if i.Reason = u.forbids(s.About); i.Reason != "" {
		i.Outcome = Kept
		return i
	}
	shown, reason := u.run.traceOf(s, now)
	var change cluster.Change
	switch {
	case shown == present:
		change = s.inverted(now)
	case s.Verb == cluster.Restart && shown == altered && (s.Done || s.State == StepMade && s.UID == now.GetUID()):
		change = doctor.RestartAt(now, u.at.UTC().Format(time.RFC3339)) // a later restart has changed what this one left
	default:
		i.Outcome, i.Reason = s.reversal(shown, now), reason
		return i
	}
	if i.Reason = u.refuses(s, change); i.Reason != "" {
		i.Outcome = Kept
		return i
	}
	i.Change = &change
	return i
}

// inverted returns the change that undoes a step that the object shows.
func (s *Step) inverted(now *unstructured.Unstructured) cluster.Change {
	switch {
	case s.Before != nil:
		return cluster.Change{Verb: cluster.Create, After: restored(s.Before)}
	case s.Created:
		return cluster.Change{Verb: cluster.Delete, Before: now}
	}
	p, _ := decodeInverse(s.Inverse) // the trace has read it
	verb := cluster.Patch
	if s.Verb == cluster.Restart {
		verb = cluster.Restart
	}
	return cluster.Change{Verb: verb, Before: now, After: p.on(now)}
}

// reversal returns what becomes of a step that leaves nothing to revert.
func (s *Step) reversal(shown trace, now *unstructured.Unstructured) Reversal {
	switch {
	case shown == missing:
		return Gone
	case shown == absent && (s.State == StepMade || s.Done):
		return Reverted // by an undo that was interrupted, or by hand
	case shown == absent:
		return Untouched
	case s.Before != nil && now.GetUID() == s.Before.GetUID(): // it is still being deleted
		return RevertFailed
	}
	return Changed
}

// closed are the namespaces in which no undo writes.
var closed = []string{"kube-system", "kube-public", "kube-node-lease"}

// forbids says why no record leads to a change of an object, "" if one may.
func (u *undoer) forbids(ref cluster.Ref) string {
	switch {
	case ref.GroupKind().Group == "rbac.authorization.k8s.io":
		return "an undo does not change permissions"
	case slices.Contains(closed, ref.Namespace):
		return "an undo does not write in namespace " + ref.Namespace
	}
	return ""
}

// refuses says why a change is not what undoes a fix of the check that the record names, "" if it is.
func (u *undoer) refuses(s *Step, change cluster.Change) string {
	i := slices.IndexFunc(u.checks, func(c *doctor.Check) bool { return c.ID == s.Check })
	if i < 0 {
		return fmt.Sprintf("there is no check %q", s.Check)
	}
	made := forward(change)
	may := slices.DeleteFunc(slices.Clone(u.checks[i].Writes), func(w doctor.Write) bool {
		return !w.Covers(s.About, u.isProfile) || !w.Makes(made)
	})
	switch {
	case len(may) == 0:
		return "no fix of " + s.Check + " makes this change"
	case u.run.TakenOver && !slices.ContainsFunc(may, func(w doctor.Write) bool { return harmless(w, change) }):
		return "its record is of an older version, and others than administrators could write it"
	}
	return ""
}

// forward returns the change that another one undoes.
func forward(change cluster.Change) cluster.Change {
	switch change.Verb {
	case cluster.Create:
		return cluster.Change{Verb: cluster.Delete, Before: change.After}
	case cluster.Delete:
		return cluster.Change{Verb: cluster.Apply, After: change.Before}
	}
	return cluster.Change{Verb: change.Verb, Before: change.After, After: change.Before}
}

// editable are the kinds that the editors of a namespace can write there: ClusterRole edit grants them.
var editable = []string{"ConfigMap", "Secret", "Service", "Deployment", "StatefulSet", "DaemonSet", "NetworkPolicy"}

// harmless reports whether a change can be made on the word of a record that the editors of namespace kubeflow could write: they could
// make it themselves, it deletes what a fix created, or it leads to what the fix has changed for sure.
func harmless(w doctor.Write, change cluster.Change) bool {
	ref := change.Ref()
	switch {
	case change.Verb == cluster.Create:
		return false
	case change.Verb == cluster.Delete:
		return true // the server notes that a fix created it
	case ref.Namespace == earlierNamespace && slices.Contains(editable, ref.Kind):
		return true
	case w.Edit == nil || change.Verb == cluster.Restart:
		return false
	}
	again := change.After.DeepCopy()
	w.Edit(again)
	return len(cluster.ChangedFields(again, change.Before)) == 0
}

// current returns the object as it is now, nil when it does not exist.
func current(ctx context.Context, client *cluster.Client, ref cluster.Ref) (*unstructured.Unstructured, error) {
	now, err := client.View().Get(ctx, ref)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return now, err
}

// profileNamespaces returns a function that reports whether a namespace is a Profile's.
func profileNamespaces(ctx context.Context, client *cluster.Client) func(string) bool {
	known := map[string]bool{}
	return func(name string) bool {
		is, found := known[name]
		if !found {
			ns, err := client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: name})
			is = err == nil && doctor.IsProfile(ns)
			known[name] = is
		}
		return is
	}
}
