package install

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

// StillThere says what a wave waits for. It comes about every second.
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

// UninstallOptions say how a Removal is carried out.
type UninstallOptions struct {
	Timeout  time.Duration // for all of it
	Patience time.Duration // with what cannot go by itself, as long as nothing else goes either; 0 means two minutes
	NoWait   bool          // do not wait for the last ones: namespaces
	Parallel int           // requests at once; 0 means 16
	Observe  func(Event)   // may be nil
}

// Removed is what came of an uninstall.
type Removed struct {
	Removed []cluster.Ref `json:"removed"`
	Keep    []Kept        `json:"kept,omitempty"`
	Left    []Kept        `json:"left,omitempty"`
	Record  bool          `json:"record"` // the record of the installation stays, and lists what was kept
}
