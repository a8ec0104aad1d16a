package fixes

import (
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A RunList is the document that doctor --undo=list -o json prints: which objects and fields runs changed, and no value of any.
type RunList struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Items      []ListedRun   `json:"items"`
	Spoiled    []Spoiled     `json:"spoiled,omitempty"`
	Earlier    []cluster.Ref `json:"earlier,omitempty"` // records of older versions, which are ignored
}

// A ListedRun is a run without what its record needs to undo it.
type ListedRun struct {
	Name      string       `json:"name"`
	Started   time.Time    `json:"started"`
	State     string       `json:"state"`
	TakenOver bool         `json:"takenOver,omitempty"`
	Steps     []ListedStep `json:"steps"`
}

// A ListedStep is one change of a run.
type ListedStep struct {
	Check  string       `json:"check"`
	Verb   cluster.Verb `json:"verb"`
	About  cluster.Ref  `json:"about"`
	State  StepState    `json:"state,omitempty"`
	Fields []string     `json:"fields,omitempty"`
}

// List returns what may be shown of a history.
func List(h History) RunList {
	list := RunList{APIVersion: "kubeflow.doctor/v1alpha1", Kind: "RunList", Items: []ListedRun{}, Spoiled: h.Spoiled, Earlier: h.Earlier}
	for _, r := range h.Runs {
		listed := ListedRun{Name: r.Name, Started: r.Started, State: r.Status(), TakenOver: r.TakenOver, Steps: []ListedStep{}}
		for _, s := range r.Steps {
			listed.Steps = append(listed.Steps, ListedStep{Check: s.Check, Verb: s.Verb, About: s.About, State: s.State, Fields: s.fields()})
		}
		list.Items = append(list.Items, listed)
	}
	return list
}

// Status says in a word how far a run is.
func (r *Run) Status() string {
	switch {
	case r.Undone:
		return "undone"
	case !r.Finished:
		return "interrupted"
	}
	return "done"
}

// fields returns the JSON pointers that an update changed. A key in them may be a credential, as the keys of diffs may.
func (s *Step) fields() []string {
	p, err := decodeInverse(s.Inverse)
	if err != nil || s.Verb == cluster.Restart {
		return nil
	}
	var shown []string
	for _, pointer := range p.pointers() {
		shown = append(shown, redact.Pointer(pointer))
	}
	return slices.Compact(shown)
}
