package events

import (
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// WaveStarted says that the objects of one step of an uninstall are being deleted.
type WaveStarted struct {
	Wave  string
	Total int
}

// ObjectGone says that an object is deleted and gone.
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
	More int // others of the wave that are still there
}

// WaveDone says that everything of a wave is gone.
type WaveDone struct {
	Wave  string
	Total int
	Took  time.Duration
}

func (WaveStarted) event() {}
func (ObjectGone) event()  {}
func (StillThere) event()  {}
func (WaveDone) event()    {}
