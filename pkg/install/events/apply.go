package events

import (
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Event is one thing that happened while a plan was carried out. An observer hears them in order, one at a time.
type Event interface{ event() }

// A Tally says how far a stage is.
type Tally struct{ Applied, Ready, Total int }

// StageStarted says that the first object of a stage is on its way.
type StageStarted struct {
	Stage string
	Tally Tally
}

// ObjectApplied says that the cluster has an object as wanted. Changed is false when it had it already.
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

// StillWaiting says what a stage waits for. It comes when the reason changes, and now and then while it does not.
type StillWaiting struct {
	Stage string
	Ref   cluster.Ref
	Why   string
	More  int // how many others of the stage wait as well
	Tally Tally
}

// StageReady says that everything of a stage is applied and ready.
type StageReady struct {
	Stage string
	Took  time.Duration // since the stage started
	Tally Tally
}

// ObjectPruned says that an object which is no longer wanted is gone.
type ObjectPruned struct{ Ref cluster.Ref }

// ObjectKept says that an object which is no longer wanted stays, because it holds data or other people's objects.
type ObjectKept struct{ Ref cluster.Ref }

// Retrying says that a request did not succeed and is sent again.
type Retrying struct {
	Ref cluster.Ref
	Err error
}

func (StageStarted) event()  {}
func (ObjectApplied) event() {}
func (ObjectReady) event()   {}
func (StillWaiting) event()  {}
func (StageReady) event()    {}
func (ObjectPruned) event()  {}
func (ObjectKept) event()    {}
func (Retrying) event()      {}
