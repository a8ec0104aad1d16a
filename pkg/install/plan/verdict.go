package plan

import (
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Verdict is the result of the server's dry run of one object.
type Verdict struct {
	Ref       cluster.Ref `json:"object"`
	Component string      `json:"component,omitempty"`
	Action    Action      `json:"action"`
	Adopts    bool        `json:"adopts,omitempty"` // it exists, and no install ever applied it
	Drops     []string    `json:"drops,omitempty"`  // fields of earlier appliers that an adopted object loses
	Reason    string      `json:"reason,omitempty"` // why it is recreated, deleted, kept, unknown or rejected
	Diff      string      `json:"diff,omitempty"`   // values of Secrets are never in it

	Recreation Recreation     `json:"-"`
	Migration  *Migration     `json:"-"` // of a CRD
	Problem    *problem.Error `json:"-"` // of an object that is rejected, or would be without --recreate
}

// NeedsRecreate reports whether --recreate has to allow it.
func (v Verdict) NeedsRecreate() bool { return v.Action == Recreate && !v.Recreation.Harmless }

// A Recreation says how an object that cannot be changed in place is recreated.
type Recreation struct {
	Whole, Orphan bool   // its pods are deleted first; they stay, and the new object adopts them
	Harmless      bool   // nothing is lost and nothing restarts, so nobody has to allow it
	Effect        string // the consequence, for the user
	Refusal       string // why it is never recreated
}
