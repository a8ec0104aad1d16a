package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// An Adaptation is one fix that was made to rendered objects before they reach a cluster.
type Adaptation struct {
	Check   string
	Title   string
	Reason  string
	Changes []cluster.Change
}

// MarshalJSON shows the changes as a fix does.
func (a Adaptation) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Check   string        `json:"check"`
		Title   string        `json:"title"`
		Reason  string        `json:"reason"`
		Changes []ShownChange `json:"changes"`
	}{a.Check, a.Title, a.Reason, Show(a.Changes)})
}

// Rounds is how often a fix may reveal another problem to fix.
const Rounds = 5

// Adapt applies to rendered components, in memory, what would fix them on the cluster that they are for. Facts are what is
// known of that cluster, mostly its nodes. What restarts pods is harmless here, since there are none yet; what loses data is
// left out. It returns new components with the same names in the same order, and leaves those it was given alone. Each change
// stays within the component of its object; an object that a fix adds joins the component of the object that needed it.
func Adapt(ctx context.Context, checks []*Check, components []release.RenderedComponent, facts ...*unstructured.Unstructured) ([]release.RenderedComponent, []Adaptation, error) {
	checks = slices.DeleteFunc(slices.Clone(checks), func(c *Check) bool { return c.Manifests || len(c.Rendered) > 0 }) // they have no fixes
	m := newManifests(components)
	var made []Adaptation
	for range Rounds {
		view := cluster.Objects("rendered manifests", nil, append(m.objects(), facts...)...)
		report := Diagnose(ctx, view, checks, Options{})
		if err := broken(report); err != nil {
			return nil, nil, err
		}
		plan := PlanFixes(report, []Impact{RestartsPods})
		changed := 0
		for _, p := range plan.Apply {
			changes := m.rewrite(p)
			if len(changes) > 0 {
				made = append(made, Adaptation{Check: p.Check, Title: p.Fix.Title, Reason: p.Finding.Message, Changes: changes})
				changed += len(changes)
			}
		}
		if changed == 0 {
			return m.components, made, nil
		}
	}
	return nil, nil, fmt.Errorf("adapting the manifests: there is still something to change after %d rounds", Rounds)
}

// broken returns an error when a check failed on objects in memory: that is a fault of ours, not of a permission.
func broken(r *Report) error {
	for _, c := range r.Blind() {
		return fmt.Errorf("adapting the manifests: %s: %s", c.ID, c.Reason)
	}
	return nil
}
