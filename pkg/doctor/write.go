package doctor

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Write is what the fixes of a check do to objects of one kind. A fix that does more fails the tests, an undo does nothing else
// whatever its record says, and docs/rbac.yaml grants nothing else.
type Write struct {
	Kind   schema.GroupKind
	In     []string // the namespaces, [Profiles] for those of Profiles; any if empty
	Names  []string // any if empty
	Fields []string // what a fix changes on an existing object, as JSON pointers; * is any one name or index

	Create, Delete, Restart bool

	// Edit is what a fix does to an object, where that depends on nothing else. With it even a record that others may have
	// written is undone: the undo leads only to an object that Edit turns into the present one.
	Edit func(*unstructured.Unstructured)
	// Option is the flag without which no fix does this: it is not in docs/rbac.yaml.
	Option string
}

// Profiles stands for the namespaces of Profiles in [Write.In].
const Profiles = "the namespaces of Profiles"

// ProfileLabel is the label by which a namespace shows that it is a Profile's.
const ProfileLabel = "app.kubernetes.io/part-of"

// IsProfile reports whether a namespace belongs to a Profile.
func IsProfile(namespace *unstructured.Unstructured) bool {
	return namespace.GetLabels()[ProfileLabel] == "kubeflow-profile"
}

// Covers reports whether an object is one of those. isProfile reports whether a namespace is a Profile's.
func (w Write) Covers(ref cluster.Ref, isProfile func(namespace string) bool) bool {
	return w.Kind == ref.GroupKind() && (len(w.Names) == 0 || slices.Contains(w.Names, ref.Name)) &&
		(len(w.In) == 0 || slices.Contains(w.In, ref.Namespace) || slices.Contains(w.In, Profiles) && isProfile(ref.Namespace))
}

// Makes reports whether a change of such an object is one that the fixes make.
func (w Write) Makes(change cluster.Change) bool {
	switch {
	case change.Verb == cluster.Delete:
		return w.Delete
	case change.Before == nil:
		return w.Create
	case change.Verb == cluster.Restart && !w.Restart:
		return false
	}
	fields := w.Fields
	if change.Verb == cluster.Restart {
		fields = []string{restartField}
	}
	return !slices.ContainsFunc(cluster.ChangedFields(change.Before, change.After), func(f cluster.Field) bool { return !among(f, fields) })
}

// restartField is what a restart changes.
const restartField = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"

// among reports whether a field is one of these, or in one of them. An empty map or list around one counts: it appears and
// disappears with what is in it.
func among(f cluster.Field, fields []string) bool {
	path := strings.Split(f.Pointer, "/")
	return slices.ContainsFunc(fields, func(field string) bool {
		pattern := strings.Split(field, "/")
		return begins(path, pattern) || f.Empty() && len(path) < len(pattern) && begins(path, pattern[:len(path)])
	})
}

// begins reports whether a path begins with what a pattern names.
func begins(path, pattern []string) bool {
	if len(path) < len(pattern) {
		return false
	}
	for i, segment := range pattern {
		if segment != "*" && segment != path[i] {
			return false
		}
	}
	return true
}
