package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Options say what to run, and how.
type Options struct {
	Tests     []*Test
	Namespace string            // an existing profile namespace; "" creates a Profile
	Images    map[string]string // replacements, by the image or its prefix
	Timeout   time.Duration     // for each test; pulling images does not count
	Overall   time.Duration     // for all of them
	Named     bool              // the user named the tests
	Sample    bool              // run the tutorial's pipeline
	Keep      bool              // do not remove what was created
	Release   string            // as it is known, for the report
	User      string            // who signs in; "" is the default user of Kubeflow
	Password  string            // "" is the default password of Kubeflow

	Observe func(Event)                                      // called from several goroutines
	Explain func(ctx context.Context) ([]Explanation, error) // the doctor's findings; called once, if a test fails
}

// An Event is a step of a run.
type Event struct {
	Test   string  // "" is the preparation or the cleanup
	Step   string  // what it does now
	Result *Result // set when the test has ended
}

// errBudget is the cause of a context that ended because a test used up its time.
var errBudget = errors.New("the test timed out")

// Run runs the tests, removes what they created, also if ctx ends, and returns the report. The error is why no test could run.
func Run(ctx context.Context, client *cluster.Client, o Options) (*Report, error) {
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	report := NewReport(client)
	report.Started, report.Release = time.Now(), o.Release
	limited, cancel := context.WithTimeoutCause(ctx, o.Overall, errBudget)
	defer cancel()
	s := newSession(client, o)
	defer s.close()
	err := s.prepare(limited)
	report.Namespace, report.User = s.Namespace, s.owner
	if version, versionErr := s.View.Version(limited); versionErr == nil {
		report.Kubernetes = version.GitVersion
	}
	if err == nil {
		report.Results = s.runAll(limited, o.Tests)
	}
	slices.SortFunc(s.denied, func(a, b Permission) int {
		return strings.Compare(a.Namespace+a.Resource+a.Verb, b.Namespace+b.Resource+b.Verb)
	})
	report.Missing, report.tenant, report.named = slices.Clone(s.denied), o.Namespace != "", o.Named
	if !o.Keep {
		o.Observe(Event{Step: "removing what was created"})
		report.Left = s.cleanUp(context.WithoutCancel(ctx))
	}
	if report.Count(Failed) > 0 && ctx.Err() == nil && o.Explain != nil {
		o.Observe(Event{Step: "looking for the cause"})
		explain(ctx, report.Results, o)
	}
	report.Seconds = time.Since(report.Started).Seconds()
	if err != nil && ctx.Err() == nil {
		return report, err
	}
	return report, ctx.Err()
}

// runAll runs the tests side by side.
func (s *Session) runAll(ctx context.Context, tests []*Test) []Result {
	results := make([]Result, len(tests))
	var all sync.WaitGroup
	for i, test := range tests {
		all.Go(func() {
			results[i] = s.run(ctx, test)
			results[i].mask()
			s.options.Observe(Event{Test: test.Name, Result: &results[i]})
		})
	}
	all.Wait()
	return results
}

func (s *Session) run(ctx context.Context, test *Test) Result {
	result := Result{Test: test.Name, Title: test.Title, Status: Passed}
	why, err := test.Applies(ctx, s)
	if err == nil && why != "" {
		result.Status, result.Reason = NotApplicable, why
		return result
	}
	started := time.Now()
	ctx, clock := newClock(ctx, s.options.Timeout)
	defer clock.stop()
	t := &T{Session: s, test: test, clock: clock}
	if err == nil {
		s.options.Observe(Event{Test: test.Name, Step: "starting"})
		err = test.Run(ctx, t)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	result.Took = time.Since(started)
	result.Seconds, result.Pulled = result.Took.Seconds(), clock.pulled().Seconds()
	result.Layers, result.Details, result.Images, result.Graph = t.layers, t.details, t.images, t.graph
	if err == nil {
		return result
	}
	result.Status = Failed
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errBudget) {
		result.Status, result.Reason, result.Layers = Interrupted, "interrupted", nil
		return result
	}
	if p, denied := s.missing(context.WithoutCancel(ctx), err); denied {
		result.Status, result.Reason, result.Layers = NotPermitted, "needs "+p.String(), nil
		return result
	}
	result.Failure = failureOf(err)
	if errors.Is(context.Cause(ctx), errBudget) {
		result.Failure.TimedOut = true
		result.Failure.Message = fmt.Sprintf("timed out after %s: %s", s.options.Timeout, cmpOr(t.waiting, result.Failure.Message))
		if result.Failure.Next == "" {
			result.Failure.Next = "If the cluster is only slow, allow more time: kubectl kubeflow verify " + escape.Word(test.Name) + " --timeout DURATION"
		}
	}
	return result
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func failureOf(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		copied := *f
		return &copied
	}
	return &Failure{Message: err.Error()}
}

// explain adds the doctor's findings to the failures that they may explain: errors, what is about parts of the test first, and after
// a timeout warnings where there are none. What a failure itself says to do next is kept, unless that is to ask the doctor.
func explain(ctx context.Context, results []Result, o Options) {
	found, err := o.Explain(ctx)
	if err != nil {
		return // the failure itself is still shown
	}
	for i := range results {
		f := results[i].Failure
		if f == nil {
			continue
		}
		test := o.Tests[slices.IndexFunc(o.Tests, func(t *Test) bool { return t.Name == results[i].Test })]
		var all []Explanation
		for _, e := range found {
			if test.explainedBy(e) {
				all = append(all, e)
			}
		}
		slices.SortStableFunc(all, func(a, b Explanation) int { return test.rank(b) - test.rank(a) })
		severe := len(all) > 0 && all[0].Severe
		if severe || !f.TimedOut {
			all = slices.DeleteFunc(all, func(e Explanation) bool { return !e.Severe })
		}
		f.ExplainedBy = all
		if severe && (f.TimedOut || f.Next == "" || strings.Contains(f.Next, "kubectl kubeflow doctor")) {
			f.Next = all[0].next()
		}
	}
}

// everything are the areas of checks that look at all components alike.
var everything = []string{"workloads", "pods", "platform"}

// explainedBy reports whether a finding may be why the test failed.
func (t *Test) explainedBy(e Explanation) bool {
	area, _, _ := strings.Cut(e.ID, "/")
	if slices.Contains(everything, area) {
		return t.names(e)
	}
	return slices.ContainsFunc(t.Checks, func(c string) bool { return e.ID == c || area == c })
}

func (e Explanation) next() string {
	command := "kubectl kubeflow doctor " + escape.Word(e.ID)
	if e.Fix != "" {
		command += " --fix"
	}
	return command
}

func (t *Test) rank(e Explanation) int {
	rank := 0
	if e.Severe {
		rank = 2
	}
	if t.names(e) {
		rank++
	}
	return rank
}

// names reports whether a finding is about a part of the test.
func (t *Test) names(e Explanation) bool {
	return slices.ContainsFunc(t.Parts, func(part string) bool { return strings.Contains(e.Message+" "+e.About, part) })
}
