package doctor

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"

// A Severity says how bad a finding is.
type Severity string

// The severities, worst last.
const (
	Info    Severity = "info"    // a legal choice worth knowing
	Warning Severity = "warning" // works now, or for some, or not for long
	Error   Severity = "error"   // something the user needs does not work
)

var rank = map[Severity]int{"": 0, Info: 1, Warning: 2, Error: 3}

// AtLeast reports whether s is as bad as t, or worse.
func (s Severity) AtLeast(t Severity) bool { return rank[s] >= rank[t] }

// A Finding is one problem that a check saw.
type Finding struct {
	Severity    Severity `json:"severity"`
	About       Subject  `json:"about"`
	Message     string   `json:"message"`               // what is wrong
	Consequence string   `json:"consequence,omitempty"` // what that does to the user
	Cause       string   `json:"cause,omitempty"`       // why it came about
	ExplainedBy string   `json:"explainedBy,omitempty"` // the check whose finding is the root cause: fixing that one fixes this
	Advice      string   `json:"advice,omitempty"`      // what to do where there is no fix, or instead of it
	Command     string   `json:"command,omitempty"`     // the kubectl command that a person could type
	Page        string   `json:"page,omitempty"`
	Admin       bool     `json:"admin,omitempty"` // only an administrator of the cluster can do something about it
	Fix         *Fix     `json:"fix,omitempty"`
	// Affects are the other objects that the finding is about, or that do not work because of it.
	Affects []cluster.Ref `json:"affects,omitempty"`

	// Needs are the objects without which this is to be expected: if another check found something about one of them, that is the cause.
	// PerhapsBy are checks whose findings are the cause, where they found anything; the first of them counts.
	Needs     []cluster.Ref `json:"-"`
	PerhapsBy []string      `json:"-"`
}

// A Subject is the object a finding is about, and the field of it.
type Subject struct {
	cluster.Ref
	Field string `json:"field,omitempty"`
}

// String returns the object's name and the field: "ConfigMap/kubeflow/x data.config".
func (s Subject) String() string {
	if s.Field == "" {
		return s.Ref.String()
	}
	return s.Ref.String() + " " + s.Field
}
