package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify"
)

// An installResult is the -o json and -o yaml document of an install.
type installResult struct {
	APIVersion  string              `json:"apiVersion"`
	Kind        string              `json:"kind"`
	Name        string              `json:"name"`
	Release     string              `json:"release,omitempty"`
	Context     string              `json:"context,omitempty"`
	Server      string              `json:"server"`
	Status      string              `json:"status"` // ready, applied or failed
	Objects     int                 `json:"objects"`
	Seconds     float64             `json:"seconds"`
	Rendered    float64             `json:"renderSeconds"`
	Applied     float64             `json:"applySeconds"` // of the run: until the last object was applied
	Ready       float64             `json:"readySeconds"` // of the run: until the last object was ready
	Result      *apply.Result       `json:"result,omitempty"`
	Components  []*componentTime    `json:"components,omitempty"`
	Adaptations []doctor.Adaptation `json:"adaptations,omitempty"`
	Pending     []apply.Pending     `json:"pending,omitempty"`
	Health      *health             `json:"health,omitempty"` // the doctor's verdict on a whole Kubeflow
	Verify      *verify.Report      `json:"verify,omitempty"` // of --verify
	Error       string              `json:"error,omitempty"`
}

// finish prints the result.
func (o *installOptions) finish(client *cluster.Client, plan *kubeflow.InstallPlan, result *apply.Result, began time.Time, err error) error {
	o.printed = true
	took := o.Now().Sub(began)
	doc := installResult{
		APIVersion: cli.ResultVersion, Kind: "Result", Name: plan.Name, Release: plan.Release, Context: client.Context, Server: client.Server(),
		Status: "applied", Objects: len(plan.Objects), Seconds: took.Seconds(), Result: result, Adaptations: plan.Adapted,
	}
	if o.wait {
		doc.Status = "ready"
	}
	doc.Health, doc.Verify = healthOf(o.report), o.verified
	doc.Rendered = plan.RenderTook.Seconds()
	if o.times != nil {
		doc.Components = o.times.components
	}
	if result != nil {
		doc.Applied, doc.Ready = result.ApplyTook.Seconds(), result.ReadyTook.Seconds()
	}
	if err != nil {
		err = client.Explain(withNext(err, result, len(plan.Objects)))
		doc.Status, doc.Error = "failed", redact.Message(err.Error())
		var unfinished *apply.UnfinishedError
		if errors.As(err, &unfinished) {
			doc.Pending = unfinished.Pending
		}
	}
	o.Finished(doc.Status)
	switch {
	case o.output == "json" || o.output == "yaml":
		if printed := cli.PrintDocument(o.Out, o.output, doc); printed != nil {
			return printed
		}
	case err != nil:
	case o.output == "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
	default:
		o.summary(plan, doc, result, took)
		if o.verified != nil {
			err = o.Screen().Verify(o.verified)
		}
	}
	if err == nil {
		err = verdictOf(doc.Health)
	}
	return err
}

// nextOfReady is what to do where nothing changed and everything is ready.
const nextOfReady = "Next: kubectl kubeflow doctor, then kubectl kubeflow dashboard"

// summary prints the end of an install: what became of it, and what to type next. Where nothing changed, that is two lines.
func (o *installOptions) summary(plan *kubeflow.InstallPlan, doc installResult, result *apply.Result, took time.Duration) {
	screen := o.Screen()
	changed := result.Changed + len(result.Pruned)
	fmt.Fprintf(o.Out, "%s %s is %s: %s, %d changed, %d removed (%s)\n", screen.Done(), plan.Title, doc.Status, text.Plural(doc.Objects, "object"), result.Changed, len(result.Pruned), ui.Brief(took))
	if longest := o.times.longest(); longest != "" && changed > 0 && o.wait && o.Verbosity > 0 {
		fmt.Fprintln(o.Out, longest)
	}
	switch {
	case doc.Health != nil:
		o.printHealth(doc.Health, changed > 0)
	case doc.Status != "ready":
		fmt.Fprintln(o.Out, "Next: kubectl kubeflow doctor --wait 10m")
	default:
		fmt.Fprintln(o.Out, nextOfReady)
	}
}

// withNext adds to an error what to do next.
func withNext(err error, result *apply.Result, total int) error {
	var unfinished *apply.UnfinishedError
	switch {
	case errors.As(err, &unfinished):
		return &problem.Error{What: unfinished.Error(), Err: err, Next: "To find the cause: kubectl kubeflow doctor. Nothing is rolled back; run the same command again to continue waiting"}
	case errors.Is(err, context.Canceled) && result != nil:
		return &problem.Error{What: fmt.Sprintf("interrupted: %d of %d objects are up to date", result.Applied+result.Unchanged, total), Err: err,
			Next: "Run the same command again to resume"}
	}
	return err
}

// most blockers that are named of one check, if there are others.
const maxBlockers = 3

// blockingProblems joins the blocking problems of an install into one error: those of the first check with what to do, and of the others
// how many there are. -v shows all.
func (o *installOptions) blockingProblems(err error) error {
	var refused *preflight.BlockedError
	if !errors.As(err, &refused) {
		return err
	}
	var what, next, others []string
	count := map[string]int{}
	for i, p := range refused.Problems {
		check := refused.Check(i)
		count[check]++
		switch {
		case o.Verbosity > 0 || len(refused.Problems) <= maxBlockers || check == refused.Check(0) && count[check] <= maxBlockers:
			what = append(what, p.What)
			if !slices.Contains(next, p.Next) {
				next = append(next, p.Next)
			}
		case count[check] == 1:
			others = append(others, check)
			what = append(what, p.What+" ("+check+")")
		}
	}
	for _, check := range append([]string{refused.Check(0)}, others...) {
		shown := 1
		if check == refused.Check(0) {
			shown = maxBlockers
		}
		if more := count[check] - shown; more > 0 && o.Verbosity == 0 && len(refused.Problems) > maxBlockers {
			what = append(what, fmt.Sprintf("and %d more of %s", more, check))
		}
	}
	if len(others) > 0 {
		next = append(next, "See all of them, with what to do, with -v")
	}
	return &problem.Error{What: strings.Join(what, "\n"), Next: "Nothing was changed. " + strings.Join(next, "\n"), Err: err}
}
