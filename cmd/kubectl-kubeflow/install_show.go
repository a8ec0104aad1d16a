package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// resultVersion is the apiVersion of the documents that install prints.
const resultVersion = "kubeflow.install/v1alpha1"

// showPlan prints what would be applied.
func (o *installOptions) showPlan(wanted *wantedInstall, plan *install.Plan) error {
	switch o.output {
	case "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
		return nil
	case "json", "yaml":
		list := []any{}
		for _, g := range plan.Objects {
			list = append(list, g.Object.Object)
		}
		return printDocument(o.Out, o.output, map[string]any{"apiVersion": "v1", "kind": "List", "items": list})
	}
	var rows [][]string
	for _, stage := range plan.Stages() {
		objects, writes := 0, 0
		var waits []string
		for _, g := range plan.Objects {
			if g.Stage != stage {
				continue
			}
			if objects++; !g.Unchanged {
				writes++
			}
			for _, gate := range g.Gates {
				if gate.Service.Name != "" && !slices.Contains(waits, gate.Service.Name) {
					waits = append(waits, gate.Service.Name)
				}
			}
		}
		rows = append(rows, []string{stage, fmt.Sprint(objects), fmt.Sprint(writes), strings.Join(waits, ", ")})
	}
	if err := o.screen().Table([]string{"COMPONENT", "OBJECTS", "TO WRITE", "WAITS FOR WEBHOOK"}, rows); err != nil {
		return err
	}
	o.sayAdapted(wanted)
	o.screen().Say("%s: %d objects, %d to write, %d to delete. Nothing was changed (dry run).", wanted.title, len(plan.Objects), plan.Writes()-len(plan.Prune), len(plan.Prune))
	return nil
}

// sayAdapted says what was mended in the manifests: one line for each check, not one for each object.
func (o *installOptions) sayAdapted(wanted *wantedInstall) {
	var order []string
	titles := map[string][]string{}
	for _, adapted := range wanted.adapted {
		if titles[adapted.Check] == nil {
			order = append(order, adapted.Check)
		}
		titles[adapted.Check] = append(titles[adapted.Check], adapted.Title)
	}
	for _, check := range order {
		line := fmt.Sprintf("Adapted (%s): %s", check, titles[check][0])
		if more := len(titles[check]) - 1; more > 0 {
			line += fmt.Sprintf(", and %d more", more)
		}
		o.screen().Say("%s", line)
	}
}

// showVerdicts prints what the server says it would do: as differences, or as one line for each object.
func (o *installOptions) showVerdicts(ctx context.Context, client *cluster.Client, plan *install.Plan) error {
	verdicts, err := install.DryRun(ctx, client, plan)
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, v := range verdicts {
		count[v.Action]++
	}
	switch o.output {
	case "json", "yaml":
		err = printDocument(o.Out, o.output, map[string]any{"apiVersion": resultVersion, "kind": "DryRun", "context": client.Context, "server": client.Server(), "objects": verdicts})
	default:
		o.printVerdicts(verdicts)
		o.screen().Say("%d to create, %d to change, %d unchanged, %d to delete, %d that the server cannot judge yet, %d refused. Nothing was changed (dry run).",
			count[install.Create], count[install.Change], count[install.Unchanged], count[install.Remove], count[install.Unknown], count[install.Rejected])
	}
	switch {
	case err != nil:
		return err
	case count[install.Rejected] > 0:
		return &cluster.Problem{What: fmt.Sprintf("the server refuses %d objects", count[install.Rejected]), Next: "Mend them first: an install would stop at them"}
	case o.diff && len(verdicts) > count[install.Unchanged]+count[install.Stays]:
		return errFound
	}
	return nil
}

func (o *installOptions) printVerdicts(verdicts []install.Verdict) {
	for _, v := range verdicts {
		switch {
		case v.Action == install.Unchanged:
		case o.output == "name":
			fmt.Fprintln(o.Out, v.Ref)
		case o.diff && v.Diff != "":
			fmt.Fprint(o.Out, v.Diff)
		case v.Reason != "":
			fmt.Fprintf(o.Out, "%s %s: %s\n", v.Ref, v.Action, v.Reason)
		default:
			fmt.Fprintln(o.Out, v.Ref, v.Action)
		}
	}
}

// An installResult is what -o json and -o yaml print after an install.
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
	Result      *install.Result     `json:"result,omitempty"`
	Adaptations []doctor.Adaptation `json:"adaptations,omitempty"`
	Pending     []install.Pending   `json:"pending,omitempty"`
	Error       string              `json:"error,omitempty"`
}

// finish says what came of it.
func (o *installOptions) finish(client *cluster.Client, wanted *wantedInstall, plan *install.Plan, result *install.Result, began time.Time, err error) error {
	took := o.now().Sub(began)
	doc := installResult{
		APIVersion: resultVersion, Kind: "Result", Name: plan.Name, Release: plan.Release, Context: client.Context, Server: client.Server(),
		Status: map[bool]string{true: "ready", false: "applied"}[o.wait], Objects: len(plan.Objects), Seconds: took.Seconds(), Result: result, Adaptations: wanted.adapted,
	}
	doc.Rendered = wanted.took.Seconds()
	if result != nil {
		doc.Applied, doc.Ready = result.ApplyTook.Seconds(), result.ReadyTook.Seconds()
	}
	if err != nil {
		err = client.Explain(ending(err, result, len(plan.Objects)))
		doc.Status, doc.Error = "failed", err.Error()
		var unfinished *install.Unfinished
		if errors.As(err, &unfinished) {
			doc.Pending = unfinished.Pending
		}
	}
	switch {
	case o.output == "json" || o.output == "yaml":
		if printed := printDocument(o.Out, o.output, doc); printed != nil {
			return printed
		}
	case err != nil:
	case o.output == "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
	default:
		o.summary(wanted, doc, result, took)
	}
	return err
}

func (o *installOptions) summary(wanted *wantedInstall, doc installResult, result *install.Result, took time.Duration) {
	screen := o.screen()
	sign := screen.Paint(ui.Green, screen.Sign("✓", "ok"))
	fmt.Fprintf(o.Out, "%s %s is %s: %d objects, %d changed, %d removed, in %s", sign, wanted.title, doc.Status, doc.Objects, result.Changed, len(result.Pruned), ui.Brief(took))
	if result.Changed > 0 && o.wait {
		fmt.Fprintf(o.Out, " (applied after %s, ready after %s)", ui.Brief(result.ApplyTook), ui.Brief(result.ReadyTook))
	}
	fmt.Fprintln(o.Out)
	if doc.Status == "ready" {
		fmt.Fprintln(o.Out, "Next: kubectl kubeflow doctor, then kubectl kubeflow expose")
	} else {
		fmt.Fprintln(o.Out, "Next: kubectl kubeflow doctor --wait 10m")
	}
}

// ending adds to an error what to do next.
func ending(err error, result *install.Result, total int) error {
	var unfinished *install.Unfinished
	switch {
	case errors.As(err, &unfinished):
		return &cluster.Problem{What: unfinished.Error(), Err: err, Next: "Look for the cause with: kubectl kubeflow doctor. What is there stays; the same command goes on waiting"}
	case errors.Is(err, context.Canceled) && result != nil:
		return &cluster.Problem{What: fmt.Sprintf("interrupted: %d of %d objects are as wanted", result.Applied+result.Unchanged, total), Err: err,
			Next: "Nothing is lost: the same command goes on from here"}
	}
	return err
}

// inTheWay joins everything that is in the way of an install.
func inTheWay(err error) error {
	var refused *install.Refused
	if !errors.As(err, &refused) {
		return err
	}
	var what, next []string
	for _, p := range refused.Problems {
		what = append(what, p.What)
		if !slices.Contains(next, p.Next) {
			next = append(next, p.Next)
		}
	}
	return &cluster.Problem{What: strings.Join(what, "\n"), Next: "Nothing was changed. " + strings.Join(next, "\n"), Err: err}
}

// refsOf lists objects in a sentence.
func refsOf(refs []cluster.Ref) string {
	var names []string
	for _, ref := range refs[:min(len(refs), 5)] {
		names = append(names, ref.String())
	}
	if more := len(refs) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
