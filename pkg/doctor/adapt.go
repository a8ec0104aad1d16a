package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
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

// rounds is how often curing may uncover something further to cure.
const rounds = 5

// Adapt applies to rendered objects, in memory, what would cure them on the cluster that they are for. Facts are what is
// known of that cluster, mostly its nodes. What restarts pods is harmless here, since there are none yet; what loses data is
// left out. It returns new objects in the same order and leaves those it was given alone.
func Adapt(ctx context.Context, checks []*Check, objects []*unstructured.Unstructured, facts ...*unstructured.Unstructured) ([]*unstructured.Unstructured, []Adaptation, error) {
	objects = slices.Clone(objects)
	place := map[cluster.Ref]int{}
	for i, o := range objects {
		place[cluster.RefOf(o).Identity()] = i
	}
	var made []Adaptation
	for range rounds {
		view := cluster.Objects("rendered manifests", nil, slices.Concat(objects, facts)...)
		report := Diagnose(ctx, view, checks, Options{})
		if err := broken(report); err != nil {
			return nil, nil, err
		}
		plan := Prescribe(report, []Impact{RestartsPods})
		changed := 0
		for _, p := range plan.Apply {
			changes := rewrite(objects, place, p.Fix)
			if len(changes) > 0 {
				made = append(made, Adaptation{Check: p.Check, Title: p.Fix.Title, Reason: p.Finding.Message, Changes: changes})
				changed += len(changes)
			}
		}
		if changed == 0 {
			return objects, made, nil
		}
	}
	return nil, nil, fmt.Errorf("adapting the manifests: there is still something to change after %d rounds", rounds)
}

// broken returns an error when a check failed on objects in memory: that is a fault of ours, not of a permission.
func broken(r *Report) error {
	for _, c := range r.Blind() {
		return fmt.Errorf("adapting the manifests: %s: %s", c.ID, c.Reason)
	}
	return nil
}

// rewrite makes the changes of a fix to those objects that are among the rendered ones, and returns what it changed.
func rewrite(objects []*unstructured.Unstructured, place map[cluster.Ref]int, f *Fix) []cluster.Change {
	var done []cluster.Change
	for _, c := range f.Changes {
		i, ours := place[c.Ref().Identity()]
		if !ours || c.Verb != cluster.Patch || cluster.Diff(c.Before, c.After) == "" {
			continue
		}
		objects[i] = c.After
		done = append(done, c)
	}
	return done
}
