package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Options say how to look.
type Options struct {
	Settings
	Suppress []Suppression // findings that the user knows of and does not want to hear about
}

// Diagnose runs checks side by side and reports in their order. What could not be looked at is in the
// report, with the reason: there is no error.
func Diagnose(ctx context.Context, view cluster.View, checks []*Check, o Options) *Report {
	ctx, join := cluster.Joined(ctx)
	defer join() // the caller may change the objects of a View without a cluster
	r := NewReport()
	if r.Namespace = o.Namespace; o.Namespace != "" {
		view = cluster.Within(view, o.Namespace)
	}
	r.Checks = make([]CheckReport, len(checks))
	o.Settings = o.inspectOnce(ctx, view)
	var wait sync.WaitGroup
	wait.Go(func() { r.learn(ctx, view, o.Settings) })
	shared := &memo{}
	for i, c := range checks {
		wait.Go(func() { r.Checks[i] = examine(ctx, view, c, o.Settings, shared) })
	}
	wait.Wait()
	if o.Namespace == "" {
		r.limit(ctx, view, checks, o.Settings)
	} else {
		r.forUsers()
	}
	r.suppress(ctx, view, o.Suppress)
	r.explain()
	r.hint(checks)
	r.summarize()
	return r
}

// examine runs one check. Whatever happens in it, the others go on.
func examine(ctx context.Context, view cluster.View, c *Check, s Settings, shared *memo) (result CheckReport) {
	result = CheckReport{ID: c.ID, Code: c.Code(), Title: c.Title, Status: OK}
	defer func() {
		if p := recover(); p != nil {
			result.Status, result.Reason, result.failed = Unknown, fmt.Sprintf("the check itself broke: %v", p), true
		}
	}()
	missed := &gaps{}
	defer func() {
		missed.admit(&result)
		result.Reason = redact.Message(result.Reason)
	}()
	looked := &sight{}
	findings, err := c.Run(ctx, Exam{View: asked{view, looked}, Settings: s, gaps: missed, memo: shared})
	if err != nil {
		result.Status, result.Reason, result.failed = blame(err)
		return result
	}
	findings = slices.Clone(findings) // the check may keep its own
	for i := range findings {
		findings[i].Page = c.Page()
		findings[i].mask()
	}
	sortFindings(findings)
	switch {
	case len(findings) > 0:
		result.Status, result.Findings = Found, findings
	case looked.nothing() && !c.Absence && missed.first == nil && missed.note == "":
		result.Status, result.Reason = NotApplicable, nothingThere
	}
	return result
}

// nothingThere is the reason of a check that found nothing because there was nothing to look at: that is no proof that all is well.
const nothingThere = "there is nothing to look at"

// sortFindings puts the worst first.
func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int { return rank[b.Severity] - rank[a.Severity] })
}

// mask hides credentials in what a finding quotes of the cluster: lines of logs and of configuration, messages, values.
func (f *Finding) mask() {
	for _, text := range []*string{&f.Message, &f.Consequence, &f.Cause, &f.Advice} {
		*text = redact.Message(*text)
	}
}

// blame says why a check could not look.
func blame(err error) (status Status, reason string, failed bool) {
	var skipped *Skipped
	var noKind *meta.NoKindMatchError
	var unknowable *cluster.ErrUnknowable
	var question *askedError
	switch {
	case errors.As(err, &skipped):
		return NotApplicable, skipped.Reason, false
	case errors.As(err, &noKind):
		return NotApplicable, "the cluster has no kind " + noKind.GroupKind.Kind, false
	case errors.As(err, &unknowable):
		return Unknown, unknowable.Error(), false
	case apierrors.IsForbidden(err) && errors.As(err, &question):
		return Unknown, question.needs(), true
	}
	return Unknown, err.Error(), true
}

// hint collects what checks that found something cannot see.
func (r *Report) hint(checks []*Check) {
	r.Hints = nil
	for i, c := range checks {
		found := slices.ContainsFunc(r.Checks[i].Findings, func(f Finding) bool { return f.Severity.AtLeast(Warning) })
		if found && c.Hint != "" && !slices.Contains(r.Hints, c.Hint) {
			r.Hints = append(r.Hints, c.Hint)
		}
	}
}
