package plan

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"

// A Verdict is what the server says about one object without keeping it.
type Verdict struct {
	Ref       cluster.Ref `json:"object"`
	Component string      `json:"component,omitempty"`
	Action    string      `json:"action"`           // create, change, recreate, unchanged, delete, keep, unknown or refused
	Adopts    bool        `json:"adopts,omitempty"` // it is there, and this program never wrote it
	Drops     []string    `json:"drops,omitempty"`  // fields that an adopted object loses: who applied it before set them
	Reason    string      `json:"reason,omitempty"` // why it is recreated, deleted, kept, unknown or refused
	Diff      string      `json:"diff,omitempty"`   // values of Secrets are never in it

	How     Remaking         `json:"-"`
	Problem *cluster.Problem `json:"-"` // of what is refused, or would be without leave to recreate
}

// The actions of a Verdict.
const (
	Create    = "create"
	Change    = "change"
	Recreate  = "recreate" // it cannot be changed in place
	Unchanged = "unchanged"
	Remove    = "delete"
	Stays     = "keep"
	Unknown   = "unknown" // its namespace or its kind is not there yet, so the server cannot say
	Rejected  = "refused"
)

// A Remaking says how an object that cannot be changed in place is made anew.
type Remaking struct {
	Whole, Orphan bool   // its pods go before it does; they stay, for the new one to take over
	Effect        string // what that does
	Refusal       string // why it is not done, whoever asks
}
