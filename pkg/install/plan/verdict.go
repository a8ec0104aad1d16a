package plan

import (
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Verdict is what the server says about one object without keeping it.
type Verdict struct {
	Ref       cluster.Ref `json:"object"`
	Component string      `json:"component,omitempty"`
	Action    Action      `json:"action"`
	Adopts    bool        `json:"adopts,omitempty"` // it is there, and this program never wrote it
	Drops     []string    `json:"drops,omitempty"`  // fields that an adopted object loses: who applied it before set them
	Reason    string      `json:"reason,omitempty"` // why it is recreated, deleted, kept, unknown or refused
	Diff      string      `json:"diff,omitempty"`   // values of Secrets are never in it

	Recreation Recreation     `json:"-"`
	Problem    *problem.Error `json:"-"` // of what is refused, or would be without leave to recreate
}

// A Recreation says how an object that cannot be changed in place is made anew.
type Recreation struct {
	Whole, Orphan bool   // its pods go before it does; they stay, for the new one to take over
	Effect        string // what that does
	Refusal       string // why it is not done, whoever asks
}
