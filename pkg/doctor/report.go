package doctor

import "slices"

// A Status is how a check ended.
type Status string

// The ways a check can end.
const (
	OK    Status = "ok"
	Found Status = "found"
	// NotApplicable carries the word that scripts read.
	NotApplicable Status = "skipped" // with a reason: "not part of this release"
	Unknown       Status = "unknown" // with a reason: "needs get on secrets"
)

// A Report is the result of looking: the document that doctor -o json prints.
type Report struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Context    string        `json:"context,omitempty"`
	Server     string        `json:"server,omitempty"`
	Source     string        `json:"source,omitempty"`    // where manifests were read from, in place of a server
	Namespace  string        `json:"namespace,omitempty"` // the one that was diagnosed, with what its users may read
	Omitted    int           `json:"omitted,omitempty"`   // how many checks need permissions on the whole cluster, and were not run
	Release    KnownRelease  `json:"release"`
	Preflight  bool          `json:"preflight,omitempty"` // before an install, of what would be installed
	Kubernetes string        `json:"kubernetes,omitempty"`
	Platform   Platform      `json:"platform"`
	Summary    Summary       `json:"summary"`
	Checks     []CheckReport `json:"checks"`
	Hints      []string      `json:"hints,omitempty"` // what cannot be seen from the cluster, where that may matter
	Fixes      []FixResult   `json:"fixes"`
	Error      string        `json:"error,omitempty"` // why it could not finish
}

// A CheckReport is how one check ended.
type CheckReport struct {
	ID       string    `json:"id"`
	Code     string    `json:"code"` // of the check: stays the same when its ID changes
	Title    string    `json:"title"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why it was skipped or could not look
	Findings []Finding `json:"findings,omitempty"`

	failed bool // it could not look, though another user or another moment might
}

// A Summary counts: checks that are ok, skipped or unknown, and findings by severity.
type Summary struct {
	OK      int `json:"ok"`
	Info    int `json:"info"`
	Warning int `json:"warning"`
	Error   int `json:"error"`
	Skipped int `json:"skipped"`
	Unknown int `json:"unknown"`
}

// NewReport returns a report of nothing.
func NewReport() *Report {
	return &Report{APIVersion: "kubeflow.doctor/v1alpha1", Kind: "Report", Checks: []CheckReport{}, Fixes: []FixResult{}}
}

// Worst returns the worst severity found, "" where nothing was.
func (r *Report) Worst() Severity {
	worst := Severity("")
	for f := range r.findings() {
		if f.Severity.AtLeast(worst) {
			worst = f.Severity
		}
	}
	return worst
}

// Blind returns the checks that could not look, for want of a permission or because of a fault.
func (r *Report) Blind() []CheckReport {
	return slices.Collect(func(yield func(CheckReport) bool) {
		for _, c := range r.Checks {
			if c.failed && !yield(c) {
				return
			}
		}
	})
}

// Check returns how the check with this ID ended, nil when it was not run.
func (r *Report) Check(id string) *CheckReport {
	for i := range r.Checks {
		if r.Checks[i].ID == id {
			return &r.Checks[i]
		}
	}
	return nil
}

// findings yields every finding of every check.
func (r *Report) findings() func(func(*Finding) bool) {
	return func(yield func(*Finding) bool) {
		for i := range r.Checks {
			for j := range r.Checks[i].Findings {
				if !yield(&r.Checks[i].Findings[j]) {
					return
				}
			}
		}
	}
}

// summarize counts again.
func (r *Report) summarize() {
	r.Summary = Summary{}
	for _, c := range r.Checks {
		switch c.Status {
		case OK:
			r.Summary.OK++
		case NotApplicable:
			r.Summary.Skipped++
		case Unknown:
			r.Summary.Unknown++
		}
	}
	for f := range r.findings() {
		switch f.Severity {
		case Info:
			r.Summary.Info++
		case Warning:
			r.Summary.Warning++
		case Error:
			r.Summary.Error++
		}
	}
}

// A Problem is a finding with the check that reports it.
type Problem struct {
	Check   *CheckReport
	Finding *Finding
}

// Problems returns all findings, the worst first, and in the order of the checks where they are as bad.
func (r *Report) Problems() []Problem {
	var all []Problem
	for i := range r.Checks {
		for j := range r.Checks[i].Findings {
			all = append(all, Problem{&r.Checks[i], &r.Checks[i].Findings[j]})
		}
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return rank[b.Finding.Severity] - rank[a.Finding.Severity] })
	return all
}
