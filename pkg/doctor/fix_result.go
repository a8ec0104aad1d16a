package doctor

import (
	"encoding/json"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Outcome says what became of a fix.
type Outcome string

// What can become of a fix.
const (
	Planned Outcome = "planned" // --dry-run: shown, not made
	Fixed   Outcome = "fixed"
	Remains Outcome = "remains" // made, and the finding is still there
	Worse   Outcome = "worse"   // made, and the check now finds more than before
	Failed  Outcome = "failed"  // could not be made
	Refused Outcome = "refused" // needs a yes that was not given
)

// A FixResult is a fix and what became of it.
type FixResult struct {
	Check   string  `json:"check"`
	About   Subject `json:"about"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
	Run     string  `json:"run,omitempty"` // what --undo takes to put it back
	Fix     *Fix    `json:"-"`

	Before int `json:"-"` // what the check found when the fix was decided
	Tries  int `json:"-"`
}

// MarshalJSON puts the parts of the fix beside its outcome.
func (t FixResult) MarshalJSON() ([]byte, error) {
	type plain FixResult
	return json.Marshal(struct {
		plain
		Title   string        `json:"title"`
		Impact  Impact        `json:"impact"`
		Changes []ShownChange `json:"changes"`
	}{plain(t), t.Fix.Title, t.Fix.Impact, Show(t.Fix.Changes)})
}

// Same reports whether a proposal is for the finding that was fixed, or repeats its restarts: a finding about pods is about others after
// each restart, so the objects that the fix changes decide.
func (t FixResult) Same(p Proposal) bool {
	if t.Check != p.Check || t.Fix.Title != p.Fix.Title {
		return false
	}
	return t.About == p.Finding.About || t.Fix.Impact == RestartsPods && slices.EqualFunc(t.Fix.Changes, p.Fix.Changes, func(a, b cluster.Change) bool {
		return a.Verb == cluster.Restart && b.Verb == cluster.Restart && a.Ref() == b.Ref()
	})
}

// Judge compares what was treated with what is found now.
func (t *FixResult) Judge(r *Report) {
	c := r.Check(t.Check)
	switch {
	case c == nil || c.Status == Unknown:
		t.Outcome, t.Reason = Remains, "it cannot be looked at any more"
	case Weight(c) > t.Before:
		t.Outcome = Worse
	case c.has(t.About):
		t.Outcome = Remains
	default:
		t.Outcome = Fixed
	}
}

func (c *CheckReport) has(about Subject) bool {
	for _, f := range c.Findings {
		if f.About == about && f.Severity != Info {
			return true
		}
	}
	return false
}

// Weight is how much a check finds, the worse counting more.
func Weight(c *CheckReport) int {
	sum := 0
	for _, f := range c.Findings {
		sum += []int{0, 0, 1, 100}[rank[f.Severity]]
	}
	return sum
}
