package doctor

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Impact is the risk of a fix.
type Impact string

// The impacts, the harmless one first.
const (
	Safe         Impact = "safe"      // can be undone, and interrupts nothing that works
	RestartsPods Impact = "restart"   // replaces running pods
	LosesData    Impact = "data-loss" // deletes what cannot be put back entirely
)

// A Fix is a repair the user can accept. It holds no code, only changes, in the order in which they are made;
// restarts come after everything else but the late changes.
type Fix struct {
	Title   string // a verb phrase the user can say yes to: "Set the workflow executor to pns"
	Impact  Impact
	Changes []cluster.Change
	// Late is how many of the changes, at the end, are made once everything that was restarted runs.
	Late int
	// Probe tells when a changed admission webhook is in force, so that restarts do not come too early. May be nil.
	Probe *Probe
}

// A Probe is a pod that the server is asked to admit without keeping it. What the changed webhooks do to
// it shows whether the API server honours them yet.
type Probe struct {
	Namespace string `json:"namespace"`
	Container string `json:"container"` // what the webhook adds once it is in force
}

// MarshalJSON writes the changes as what they change, with a diff instead of whole objects.
func (f Fix) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Title   string        `json:"title"`
		Impact  Impact        `json:"impact"`
		Changes []ShownChange `json:"changes"`
	}{f.Title, f.Impact, Show(f.Changes)})
}

// A ShownChange is a change as people and programs see it.
type ShownChange struct {
	Verb  cluster.Verb `json:"verb"`
	About cluster.Ref  `json:"about"`
	Diff  string       `json:"diff,omitempty"`
}

// Show returns what changes would do.
func Show(changes []cluster.Change) []ShownChange {
	shown := make([]ShownChange, 0, len(changes))
	for _, c := range changes {
		s := ShownChange{Verb: c.Verb, About: c.Ref()}
		if c.Verb != cluster.Restart { // the diff of a restart is a timestamp
			s.Diff = cluster.Diff(c.Before, c.After)
		}
		shown = append(shown, s)
	}
	return shown
}

// RestartedAt is the annotation by which kubectl rollout restart makes a workload replace its pods.
const RestartedAt = "kubectl.kubernetes.io/restartedAt"

// RestartOf returns the change that makes a workload replace its pods. The time is filled in when it is made.
func RestartOf(workload *unstructured.Unstructured) cluster.Change {
	return RestartAt(workload, "now")
}

// Stamp fills the time of the restarts in, so that the record can tell them from anybody else's.
func (f *Fix) Stamp(at time.Time) {
	for i, c := range f.Changes {
		if c.Verb == cluster.Restart {
			f.Changes[i] = RestartAt(c.Before, at.UTC().Format(time.RFC3339))
		}
	}
}

func RestartAt(workload *unstructured.Unstructured, at string) cluster.Change {
	c := cluster.Edit(workload, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, at, "spec", "template", "metadata", "annotations", RestartedAt)
	})
	c.Verb = cluster.Restart
	return c
}

// Manager is the field manager of everything that a fix writes.
const Manager = "kubectl-kubeflow-doctor"
