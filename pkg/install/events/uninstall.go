package events

import (
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// WaveStarted reports that the objects of one phase of an uninstall are being deleted.
type WaveStarted struct {
	Wave  string
	Total int
}

// ObjectGone reports that an object was deleted and no longer exists.
type ObjectGone struct {
	Wave string
	Ref  cluster.Ref
	Left int // of the wave
}

// StillThere reports what a wave waits for, about once a second.
type StillThere struct {
	Wave string
	Ref  cluster.Ref
	Why  string
	More int // other objects of the wave that still exist
}

// WaveDone reports that all objects of a wave were deleted.
type WaveDone struct {
	Wave  string
	Total int
	Took  time.Duration
}

func (WaveStarted) event() {}
func (ObjectGone) event()  {}
func (StillThere) event()  {}
func (WaveDone) event()    {}
