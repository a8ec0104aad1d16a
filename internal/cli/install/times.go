package install

import (
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// A componentTime is how long one component took, counted from the first apply of the install.
type componentTime struct {
	Name    string  `json:"name"`
	Objects int     `json:"objects"`
	Changed int     `json:"changed"`
	Applied float64 `json:"appliedSeconds,omitempty"` // until its last object was applied
	Ready   float64 `json:"readySeconds,omitempty"`   // until all of it was ready; omitted if it is not
	Waited  string  `json:"waitedFor,omitempty"`      // the last thing
}

// times measures how long the components of an install take.
type times struct {
	now        func() time.Time
	began      time.Time
	components []*componentTime
}

func newTimes(now func() time.Time) *times { return &times{now: now, began: now()} }

func (t *times) observe(event events.Event) {
	after := t.now().Sub(t.began).Seconds()
	switch e := event.(type) {
	case events.StageStarted:
		t.of(e.Stage).Objects = e.Tally.Total
	case events.ObjectApplied:
		c := t.of(e.Stage)
		c.Applied, c.Objects = after, e.Tally.Total
		if e.Changed {
			c.Changed++
		}
	case events.StillWaiting:
		t.of(e.Stage).Waited = fmt.Sprintf("%s: %s", e.Ref, e.Why)
	case events.StageReady:
		t.of(e.Stage).Ready = after
	}
}

func (t *times) of(name string) *componentTime {
	for _, c := range t.components {
		if c.Name == name {
			return c
		}
	}
	c := &componentTime{Name: name}
	t.components = append(t.components, c)
	return c
}

// longest returns a sentence about the component that became ready last and what it waited for, or "" with fewer than two
// components.
func (t *times) longest() string {
	var last *componentTime
	for _, c := range t.components {
		if last == nil || c.Ready > last.Ready {
			last = c
		}
	}
	if last == nil || len(t.components) < 2 || last.Waited == "" {
		return ""
	}
	return fmt.Sprintf("%s took longest: ready after %s, waiting for %s", last.Name, ui.Brief(time.Duration(last.Ready*float64(time.Second))), last.Waited)
}
