package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

// A Test uses one part of Kubeflow.
type Test struct {
	Name  string
	Title string // true when it passes
	Quick bool   // part of a run that names no tests

	// Checks are the areas or IDs of the doctor's checks that may explain a failure.
	Checks []string
	// Parts are words in the names of what the test needs: of the many objects that a check of all components finds, only these
	// explain its failure.
	Parts []string
	// Uses are the images that it runs.
	Uses []Use
	// Applies returns why the test does not apply to this Kubeflow, "" if it does.
	Applies func(ctx context.Context, s *Session) (string, error)
	Run     func(ctx context.Context, t *T) error
}

// Tests returns all tests, in the order in which they are shown.
func Tests() []*Test {
	return []*Test{login, notebook, pipeline, storage, isolation, katib, training, inference, gpu}
}

// Select returns the tests with these names; without names the quick ones, or all. unknown is a name that no test has.
func Select(names []string, all bool) (tests []*Test, unknown string) {
	for _, t := range Tests() {
		if slices.Contains(names, t.Name) || len(names) == 0 && (all || t.Quick) {
			tests = append(tests, t)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(tests, func(t *Test) bool { return t.Name == name }) {
			return nil, name
		}
	}
	return tests, ""
}

// A Status is how a test, or one layer of it, ended.
type Status string

// The statuses.
const (
	Passed        Status = "passed"
	Failed        Status = "failed"
	NotApplicable Status = "notApplicable"
	Interrupted   Status = "interrupted"
	NotPermitted  Status = "notPermitted" // the user may not do what it needs
)

// A Layer is the way by which a test reached a component.
type Layer string

// The layers. If inside works and the gateway does not, the cause is in front of the component.
const (
	Inside  Layer = "inside"  // a port-forward to the component's pod, with the user's header
	Gateway Layer = "gateway" // through the gateway, as a browser
)

// A Reached is the result of one layer.
type Reached struct {
	Layer  Layer  `json:"layer"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // why not
}

// A Result is the result of one test.
type Result struct {
	Test    string        `json:"test"`
	Title   string        `json:"title"`
	Status  Status        `json:"status"`
	Reason  string        `json:"reason,omitempty"` // of one that does not apply or was interrupted
	Took    time.Duration `json:"-"`
	Seconds float64       `json:"seconds"`
	Pulled  float64       `json:"pullSeconds,omitempty"` // spent on pulling images; it does not count towards the timeout
	Layers  []Reached     `json:"layers,omitempty"`
	Details []string      `json:"details,omitempty"` // what was seen: an accuracy, a graph
	Graph   []kfp.Line    `json:"graph,omitempty"`   // the steps of a pipeline's run
	Images  []string      `json:"images,omitempty"`
	Failure *Failure      `json:"failure,omitempty"`
}

// mask hides credentials in what a result quotes of answers, pages, events and objects. (Logs are masked where they are read.)
func (r *Result) mask() {
	texts := []*string{&r.Reason}
	for i := range r.Layers {
		texts = append(texts, &r.Layers[i].Reason)
	}
	for i := range r.Details {
		texts = append(texts, &r.Details[i])
	}
	if r.Failure != nil {
		texts = append(texts, &r.Failure.Message)
	}
	for _, text := range texts {
		*text = redact.Message(*text)
	}
}

// A Failure is why a test failed. It is the error that tests return.
type Failure struct {
	Message     string        `json:"message"`
	About       *cluster.Ref  `json:"about,omitempty"`
	Logs        []string      `json:"logs,omitempty"` // the last lines, read before the object was removed
	ExplainedBy []Explanation `json:"explainedBy,omitempty"`
	Next        string        `json:"next,omitempty"`
	TimedOut    bool          `json:"timedOut,omitempty"`

	err error // the cause, if it is an answer of the API server
}

// An Explanation is a finding of the doctor that may explain a failure.
type Explanation struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	About   string `json:"about,omitempty"`
	Fix     string `json:"fix,omitempty"`
	Severe  bool   `json:"-"` // an error, not a warning
}

func (f *Failure) Error() string {
	if f.About == nil {
		return f.Message
	}
	return f.About.String() + ": " + f.Message
}

// Unwrap returns the answer of the API server that is the cause.
func (f *Failure) Unwrap() error { return f.err }

// A Report is the result of a run, and its document.
type Report struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Context    string    `json:"context,omitempty"`
	Server     string    `json:"server"`
	Kubernetes string    `json:"kubernetes,omitempty"`
	Release    string    `json:"release,omitempty"`
	Namespace  string    `json:"namespace,omitempty"`
	User       string    `json:"user,omitempty"`
	Started    time.Time `json:"started"`
	Seconds    float64   `json:"seconds"`
	Results    []Result  `json:"results"`
	Left       []string  `json:"left,omitempty"` // objects of the run that still exist, and why
	Error      string    `json:"error,omitempty"`

	Missing []Permission `json:"missing,omitempty"` // what the user was not allowed to do
	tenant  bool         // the tests ran in a namespace that the user named
	named   bool         // the user named the tests
}

// NewReport returns the empty report of a cluster; client may be nil.
func NewReport(client *cluster.Client) *Report {
	r := &Report{APIVersion: "kubeflow.verify/v1alpha1", Kind: "Report", Results: []Result{}}
	if client != nil {
		r.Context, r.Server = client.Context, client.Server()
	}
	return r
}

// Unchecked reports whether permissions kept a run from what was asked of it. In the namespace of a tenant, who is not allowed to
// test the whole of Kubeflow, the tests that could run are enough.
func (r *Report) Unchecked() bool {
	return r.Count(NotPermitted) > 0 && (!r.tenant || r.named || r.Count(Passed) == 0)
}

// Count returns how many tests ended with a status.
func (r *Report) Count(status Status) int {
	n := 0
	for _, result := range r.Results {
		if result.Status == status {
			n++
		}
	}
	return n
}

// Summary says in a line how a run ended.
func (r *Report) Summary() string {
	failed, passed, denied := r.Count(Failed), r.Count(Passed), r.Count(NotPermitted)
	suffix := ""
	if denied > 0 {
		suffix = fmt.Sprintf(", %d not permitted", denied)
	}
	switch {
	case failed > 0:
		return fmt.Sprintf("%s failed, %d passed%s", text.Plural(failed, "test"), passed, suffix)
	case r.Count(Interrupted) > 0:
		return "interrupted after " + text.Plural(passed, "test")
	case passed == 0 && denied > 0:
		return "no test could run" + suffix
	case passed == 0:
		return "no test applies to this cluster"
	}
	return text.Plural(passed, "test") + " passed" + suffix
}
