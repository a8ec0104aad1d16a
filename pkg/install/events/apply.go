package events

import (
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Event is one thing that happened while a plan was carried out. An observer receives them in order, one at a time.
type Event interface{ event() }

// A Tally is the progress of a stage.
type Tally struct{ Applied, Ready, Total int }

// StageStarted reports that the first object of a stage is being applied.
type StageStarted struct {
	Stage string
	Tally Tally
}

// ObjectApplied reports that an object was applied. Changed is false when the cluster already had it as wanted.
type ObjectApplied struct {
	Stage   string
	Ref     cluster.Ref
	Changed bool
	Tally   Tally
}

// ObjectReady reports that an object is ready.
type ObjectReady struct {
	Stage string
	Ref   cluster.Ref
	Tally Tally
}

// StillWaiting reports what a stage waits for. It is sent when the reason changes, and periodically while it does not.
type StillWaiting struct {
	Stage string
	Ref   cluster.Ref
	Why   string
	More  int // how many other objects of the stage wait too
	Tally Tally
}

// StageReady reports that all objects of a stage are applied and ready.
type StageReady struct {
	Stage string
	Took  time.Duration // since the stage started
	Tally Tally
}

// ObjectPruned reports that an object that is no longer wanted was deleted.
type ObjectPruned struct{ Ref cluster.Ref }

// ObjectKept reports that an object that is no longer wanted was kept, because it holds data or other users' objects.
type ObjectKept struct{ Ref cluster.Ref }

// Retrying reports that a request failed and is sent again.
type Retrying struct {
	Ref cluster.Ref
	Err error
}

// Note is a message for the user.
type Note struct{ Text string }

func (Note) event()          {}
func (StageStarted) event()  {}
func (ObjectApplied) event() {}
func (ObjectReady) event()   {}
func (StillWaiting) event()  {}
func (StageReady) event()    {}
func (ObjectPruned) event()  {}
func (ObjectKept) event()    {}
func (Retrying) event()      {}
