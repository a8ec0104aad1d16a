package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// showPlan prints what would be applied.
func (o *installOptions) showPlan(wanted *wantedInstall, plan *install.Plan) error {
	o.told = true
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

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// showVerdicts prints what the server says it would do: as differences, or as one line for each object.
func (o *installOptions) showVerdicts(ctx context.Context, client *cluster.Client, plan *install.Plan) error {
	verdicts, err := install.DryRun(ctx, client, plan)
	if err != nil {
		return err
	}
	o.told = true
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
