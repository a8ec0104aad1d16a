package doctor

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// manifests are rendered components on their way to being adapted.
type manifests struct{ components []release.RenderedComponent }

// newManifests copies the lists of objects, not the objects: they are replaced, never edited.
func newManifests(components []release.RenderedComponent) *manifests {
	m := &manifests{components: slices.Clone(components)}
	for i := range m.components {
		m.components[i].Objects = slices.Clone(m.components[i].Objects)
	}
	return m
}

func (m *manifests) objects() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, c := range m.components {
		all = append(all, c.Objects...)
	}
	return all
}

// find returns the component that an object belongs to and its place there; both are -1 for an object that is not rendered.
// Where two components bring the same object the later one wins, as it does when they are applied.
func (m *manifests) find(ref cluster.Ref) (component, place int) {
	for c, rendered := range slices.Backward(m.components) {
		for i, o := range slices.Backward(rendered.Objects) {
			if cluster.RefOf(o).Identity() == ref.Identity() {
				return c, i
			}
		}
	}
	return -1, -1
}

// rewrite makes the changes of a fix, each in the component of its object, and returns what it changed. Objects that are
// not rendered, such as the facts about the cluster, are left alone.
func (m *manifests) rewrite(p Proposal) []cluster.Change {
	var done []cluster.Change
	for _, c := range p.Fix.Changes {
		if m.apply(c, p) {
			done = append(done, c)
		}
	}
	return done
}

func (m *manifests) apply(change cluster.Change, p Proposal) bool {
	component, place := m.find(change.Ref())
	rendered := component >= 0
	switch {
	case change.Verb == cluster.Patch && rendered:
		if cluster.Diff(change.Before, change.After) == "" {
			return false
		}
		m.components[component].Objects[place] = change.After
	case change.Verb == cluster.Delete && rendered:
		m.components[component].Objects = slices.Delete(m.components[component].Objects, place, place+1)
	case change.Verb == cluster.Apply && change.Before == nil && !rendered:
		home := m.homeOf(p)
		if home < 0 {
			return false
		}
		m.components[home].Objects = append(m.components[home].Objects, change.After)
	default:
		return false
	}
	return true
}

// homeOf returns the component that an added object joins: that of the object the finding is about, else that of another
// object that the fix changes; -1 where neither is rendered.
func (m *manifests) homeOf(p Proposal) int {
	if component, _ := m.find(p.Finding.About.Ref); component >= 0 {
		return component
	}
	for _, c := range p.Fix.Changes {
		if component, _ := m.find(c.Ref()); component >= 0 {
			return component
		}
	}
	return -1
}
