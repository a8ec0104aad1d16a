package fixes

import (
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A Run is the record of one doctor --fix: what it takes to undo it. It is kept in the cluster.
type Run struct {
	Name     string    `json:"name"`
	Started  time.Time `json:"started"`
	Finished bool      `json:"finished"` // false when it was interrupted: the next --fix resumes it
	Undone   bool      `json:"undone,omitempty"`
	// TakenOver marks a record of an older version, which was where others than administrators can write.
	TakenOver bool    `json:"takenOver,omitempty"`
	Steps     []*Step `json:"steps"`
}

// A Step is one change of a run.
type Step struct {
	Check   string                     `json:"check"`
	Title   string                     `json:"title"`
	Verb    cluster.Verb               `json:"verb"`
	About   cluster.Ref                `json:"about"`
	State   StepState                  `json:"state,omitempty"`   // empty in the records of older versions
	Created bool                       `json:"created,omitempty"` // the object did not exist before
	Inverse json.RawMessage            `json:"inverse,omitempty"` // RFC 6902, with tests of what was written
	Before  *unstructured.Unstructured `json:"before,omitempty"`  // what was deleted
	UID     types.UID                  `json:"uid,omitempty"`     // of the object that was written
	Version string                     `json:"version,omitempty"` // its resourceVersion after the write
	Probe   *doctor.Probe              `json:"trial,omitempty"`
	Done    bool                       `json:"done,omitempty"` // older versions set it on every step of a finished run, made or not

	sent bool // a request was sent whose answer is not known
}

// A StepState is how far a step came. It is stored before the change is requested and after the server has answered,
// so that whatever ends the process in between leaves a record of what may have happened.
type StepState string

// The states of a step.
const (
	StepPlanned  StepState = "planned"  // may have been made: the object has to show it
	StepMade     StepState = "made"     // the server has confirmed it
	StepFailed   StepState = "failed"   // the server has rejected it
	StepDropped  StepState = "dropped"  // it was never requested
	StepReverted StepState = "reverted" // it was made and undone
)

// Changes returns the steps that were made, or may have been.
func (r *Run) Changes() []*Step {
	return slices.DeleteFunc(slices.Clone(r.Steps), func(s *Step) bool { return s.State == StepFailed || s.State == StepDropped })
}

// ToUndo returns the steps that an undo would look at.
func (r *Run) ToUndo() []*Step {
	return slices.DeleteFunc(slices.Clone(r.Steps), (*Step).settled)
}

// settled reports whether there is nothing to undo about a step, for sure.
func (s *Step) settled() bool {
	return s.State == StepFailed || s.State == StepDropped || s.State == StepReverted
}

// plan adds the steps of a fix, planned, and returns them, one per change. Steps of an earlier attempt that were not made give way to them.
func (r *Run) plan(p doctor.Proposal) ([]*Step, error) {
	var steps []*Step
	for _, change := range p.Fix.Changes {
		step, err := planned(p, change)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	r.Steps = slices.DeleteFunc(r.Steps, func(old *Step) bool {
		return (old.State == StepFailed || old.State == StepDropped) && slices.ContainsFunc(steps, old.repeats)
	})
	r.Steps = append(r.Steps, steps...)
	return steps, nil
}

// repeats reports whether two steps are attempts at the same change.
func (s *Step) repeats(other *Step) bool {
	return s.Check == other.Check && s.Title == other.Title && s.Verb == other.Verb && s.About.Identity() == other.About.Identity()
}

func planned(p doctor.Proposal, change cluster.Change) (*Step, error) {
	s := &Step{Check: p.Check, Title: p.Fix.Title, Verb: change.Verb, About: change.Ref(), State: StepPlanned, Probe: p.Fix.Probe}
	switch {
	case change.Verb == cluster.Delete:
		s.Before = change.Before
	case change.Before == nil:
		s.Created = true
	case change.Verb == cluster.Apply: // what the server makes of it is known afterwards
	default:
		inverse, err := change.Inverse()
		if err != nil {
			return nil, err
		}
		s.Inverse = inverse
	}
	return s, nil
}

// made notes that the server has confirmed a change, and what the object is since.
func (s *Step) made(change cluster.Change, after *unstructured.Unstructured) error {
	s.State, s.sent = StepMade, false
	if after == nil {
		return nil
	}
	s.UID, s.Version = after.GetUID(), after.GetResourceVersion()
	if change.Verb != cluster.Apply || change.Before == nil {
		return nil
	}
	inverse, err := cluster.Change{Before: change.Before, After: after}.Inverse()
	s.Inverse = inverse
	return err
}

// drop notes that steps which are still planned were never requested.
func drop(steps []*Step) {
	for _, s := range steps {
		if s.State == StepPlanned && !s.sent {
			s.State = StepDropped
		}
	}
}

// deleted reports whether a step of the run is the deletion of the very object that has this UID.
func (r *Run) deleted(uid types.UID) bool {
	return slices.ContainsFunc(r.Steps, func(s *Step) bool { return s.Before != nil && s.Before.GetUID() == uid })
}

// clone returns a copy whose steps can be changed.
func (r *Run) clone() *Run {
	c := *r
	c.Steps = make([]*Step, len(r.Steps))
	for i, s := range r.Steps {
		step := *s
		c.Steps[i] = &step
	}
	return &c
}
