package events

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"

// A Record is an event as data: one line of what install and uninstall write to stderr with -o json. Event names
// what happened; which other fields there are follows from it (docs/events.md). Names stay; fields may be added.
type Record struct {
	APIVersion     string       `json:"apiVersion"`
	Event          string       `json:"event"`
	ElapsedSeconds float64      `json:"elapsedSeconds"`
	Component      string       `json:"component,omitempty"`
	Object         *cluster.Ref `json:"object,omitempty"`
	Changed        *bool        `json:"changed,omitempty"`     // objectApplied: false where the cluster had it already
	Why            string       `json:"why,omitempty"`         // waiting, retrying
	More           int          `json:"more,omitempty"`        // waiting: how many other objects of the component wait too
	TookSeconds    float64      `json:"tookSeconds,omitempty"` // componentReady, waveDone
	Wave           string       `json:"wave,omitempty"`        // events of an uninstall
	Left           *int         `json:"left,omitempty"`        // objectGone: how many objects of the wave remain
	Total          int          `json:"total,omitempty"`       // started, waveStarted, waveDone: objects
	Release        string       `json:"release,omitempty"`     // started
	Context        string       `json:"context,omitempty"`     // started
	Status         string       `json:"status,omitempty"`      // finished: as in the document on stdout
	Progress       *Progress    `json:"progress,omitempty"`    // of the component
	Text           string       `json:"text,omitempty"`        // note, warning, error
}

// Progress is a Tally as data.
type Progress struct {
	Applied int `json:"applied"`
	Ready   int `json:"ready"`
	Total   int `json:"total"`
}

// NewRecord returns an event as data; false for an event of another package.
func NewRecord(event Event) (Record, bool) {
	about := func(name, component string, ref *cluster.Ref, t *Tally) Record {
		r := Record{APIVersion: "kubeflow.install/v1alpha1", Event: name, Component: component, Object: ref}
		if t != nil {
			r.Progress = &Progress{t.Applied, t.Ready, t.Total}
		}
		return r
	}
	switch e := event.(type) {
	case StageStarted:
		return about("componentStarted", e.Stage, nil, &e.Tally), true
	case ObjectApplied:
		r := about("objectApplied", e.Stage, &e.Ref, &e.Tally)
		r.Changed = &e.Changed
		return r, true
	case ObjectReady:
		return about("objectReady", e.Stage, &e.Ref, &e.Tally), true
	case StillWaiting:
		r := about("waiting", e.Stage, &e.Ref, &e.Tally)
		r.Why, r.More = e.Why, e.More
		return r, true
	case StageReady:
		r := about("componentReady", e.Stage, nil, &e.Tally)
		r.TookSeconds = e.Took.Seconds()
		return r, true
	case ObjectPruned:
		return about("objectPruned", "", &e.Ref, nil), true
	case ObjectKept:
		return about("objectKept", "", &e.Ref, nil), true
	case Retrying:
		r := about("retrying", "", &e.Ref, nil)
		if e.Err != nil {
			r.Why = e.Err.Error()
		}
		return r, true
	case Note:
		r := about("note", "", nil, nil)
		r.Text = e.Text
		return r, true
	}
	return newUninstallRecord(event)
}

// newUninstallRecord is NewRecord for the events of an uninstall.
func newUninstallRecord(event Event) (Record, bool) {
	r := Record{APIVersion: "kubeflow.install/v1alpha1"}
	switch e := event.(type) {
	case WaveStarted:
		r.Event, r.Wave, r.Total = "waveStarted", e.Wave, e.Total
	case ObjectGone:
		r.Event, r.Wave, r.Object, r.Left = "objectGone", e.Wave, &e.Ref, &e.Left
	case StillThere:
		r.Event, r.Wave, r.Object, r.Why, r.More = "stillThere", e.Wave, &e.Ref, e.Why, e.More
	case WaveDone:
		r.Event, r.Wave, r.Total, r.TookSeconds = "waveDone", e.Wave, e.Total, e.Took.Seconds()
	default:
		return Record{}, false
	}
	return r, true
}
